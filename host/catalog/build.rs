//! Makes the tables of modules, commands and their arguments from `schemas/`.

use bulkhead_schema::{ORDER, generate, load_all};
use std::fmt::Display;
use std::path::{Path, PathBuf};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    println!("cargo::rerun-if-changed={}", folder.display());
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let write = |name: &str, text: String| std::fs::write(out.join(name), text).expect("OUT_DIR is writable");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| wrong(&error));

    let listed = read("modules.txt");
    let modules: Vec<&str> = listed.lines().collect();
    write("modules.rs", format!("const MODULES: &[&str] = &{modules:?};\n"));
    let schemas = load_all().unwrap_or_else(|error| wrong(&error));
    let mut sorted = modules.clone();
    sorted.sort_unstable();
    let described: Vec<&str> = schemas.iter().map(|schema| schema.module.as_str()).collect();
    assert_eq!(sorted, described, "schemas/modules.txt lists others than those that have a schema");
    let commands = generate::command_table(&schemas, ORDER);
    write("commands.rs", commands.unwrap_or_else(|error| wrong(&error)));
    let arguments = generate::argument_table(&schemas, &read("audit.txt"));
    write("arguments.rs", arguments.unwrap_or_else(|error| wrong(&error)));
}

fn wrong(error: &dyn Display) -> ! {
    panic!("schemas: {error}")
}
