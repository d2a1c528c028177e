//! Gathers what is built into the agent: the table of commands, made from `schemas/`, and the compiled guest modules,
//! made by `make modules`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The built-in modules, in the order of the house's plan.
const MODULES: &[&str] = &["core", "file", "filesystem", "power", "exec", "report", "time", "hotplug", "account"];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(out.join("commands.rs"), command_table(&root.join("schemas"))).expect("OUT_DIR is writable");
    std::fs::write(out.join("builtin.rs"), module_table(&root.join("target/modules"))).expect("OUT_DIR is writable");
}

fn command_table(schemas: &Path) -> String {
    let read = |name: &str| {
        let path = schemas.join(name);
        println!("cargo::rerun-if-changed={}", path.display());
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    };
    let parse = |module: &&str| {
        bulkhead_schema::Schema::parse(module, &read(&format!("{module}.json")))
            .unwrap_or_else(|error| panic!("schemas/{module}.json: {error}"))
    };
    let parsed: Vec<_> = MODULES.iter().map(parse).collect();
    bulkhead_schema::generate::command_table(&parsed, &read("commands.txt"))
        .unwrap_or_else(|error| panic!("schemas: {error}"))
}

/// Each module in every form that this architecture can run, the best first.
fn module_table(folder: &Path) -> String {
    let architecture = std::env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets CARGO_CFG_TARGET_ARCH");
    let forms: &[(&str, &str)] = match architecture.as_str() {
        "x86_64" => &[("X86_64V2", "x86-64-v2"), ("Baseline", "x86-64")],
        "aarch64" => &[("Baseline", "aarch64")],
        other => panic!("no guest modules are compiled for {other}; see host/compile"),
    };
    let mut table = String::from("pub(super) static BUILT_IN: &[BuiltIn] = &[\n");
    for module in MODULES {
        let _ = writeln!(table, "    BuiltIn {{\n        name: {module:?},\n        forms: &[");
        for (form, suffix) in forms {
            let path = folder.join(format!("{module}.{suffix}.cwasm"));
            println!("cargo::rerun-if-changed={}", path.display());
            let path = path.canonicalize().unwrap_or_else(|_| {
                panic!("{} is not there: the guest modules come first, run `make build`", path.display())
            });
            let _ = writeln!(table, "            (Form::{form}, include_bytes!({path:?})),");
        }
        table.push_str("        ],\n    },\n");
    }
    table.push_str("];\n");
    table
}
