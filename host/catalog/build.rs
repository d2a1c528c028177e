//! Makes the tables of modules, commands and their arguments from `schemas/`.

use bulkhead_schema::{Schema, generate};
use std::path::{Path, PathBuf};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let write = |name: &str, text: String| std::fs::write(out.join(name), text).expect("OUT_DIR is writable");
    let modules = read(&folder.join("modules.txt"));
    let modules: Vec<&str> = modules.lines().collect();
    write("modules.rs", format!("const MODULES: &[&str] = &{modules:?};\n"));
    let schemas: Vec<Schema> = modules.iter().map(|module| schema(&folder, module)).collect();
    let wrong = |error: &dyn std::fmt::Display| -> ! { panic!("schemas: {error}") };
    let commands = generate::command_table(&schemas, &read(&folder.join("commands.txt")));
    write("commands.rs", commands.unwrap_or_else(|error| wrong(&error)));
    let arguments = generate::argument_table(&schemas, &read(&folder.join("audit.txt")));
    write("arguments.rs", arguments.unwrap_or_else(|error| wrong(&error)));
}

fn read(path: &Path) -> String {
    println!("cargo::rerun-if-changed={}", path.display());
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

fn schema(folder: &Path, module: &str) -> Schema {
    Schema::parse(module, &read(&folder.join(format!("{module}.json"))))
        .unwrap_or_else(|error| panic!("schemas/{module}.json: {error}"))
}
