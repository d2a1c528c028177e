//! Gathers what is built into the agent: the compiled guest modules, made by `make modules`, with their digests. And says what
//! is linked into it.

use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(out.join("builtin.rs"), module_table(&root)).expect("OUT_DIR is writable");
    link_unwinder();
}

/// Links what unwinds the stack after a panic into the agent, from the C compiler's `libgcc_eh.a`. The shared `libgcc_s.so` has the same, and
/// looks at the processor each time that a program with it starts: in a VM a twenty-fifth of the agent's start. Other C
/// libraries' targets bring their own.
fn link_unwinder() {
    if std::env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu") {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

fn read(path: &Path) -> String {
    println!("cargo::rerun-if-changed={}", path.display());
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// Each module in every form that this architecture can run, the best first, each with the SHA-256 of its code.
fn module_table(root: &Path) -> String {
    let (folder, modules) = (root.join("target/modules"), read(&root.join("schemas/modules.txt")));
    let architecture = std::env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets CARGO_CFG_TARGET_ARCH");
    let forms: &[(&str, &str)] = match architecture.as_str() {
        "x86_64" => &[("X86_64V2", "x86-64-v2"), ("Baseline", "x86-64")],
        "aarch64" => &[("Baseline", "aarch64")],
        other => panic!("no guest modules are compiled for {other}; see host/compile"),
    };
    let mut table = String::from("pub(super) static BUILT_IN: &[BuiltIn] = &[\n");
    for module in modules.lines() {
        let _ = writeln!(table, "    BuiltIn {{\n        name: {module:?},\n        forms: &[");
        for (form, suffix) in forms {
            let path = folder.join(format!("{module}.{suffix}.cwasm"));
            println!("cargo::rerun-if-changed={}", path.display());
            let path = path.canonicalize().unwrap_or_else(|_| {
                panic!("{} is not there: the guest modules come first, run `make build`", path.display())
            });
            let code = std::fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
            let digest: String = Sha256::digest(code).iter().map(|byte| format!("{byte:02x}")).collect();
            let _ = writeln!(
                table,
                "            Code {{ form: Form::{form}, bytes: &Aligned(*include_bytes!({path:?})).0, digest: {digest:?} }},"
            );
        }
        table.push_str("        ],\n    },\n");
    }
    table.push_str("];\n");
    table
}
