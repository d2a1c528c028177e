#!/usr/bin/env bash
# wasmparser: with the reference-types proposal on and everything of garbage collection off, externref is refused.
#
# Packages: wasmparser 0.254.2 and wat 1.254.2 (Rust registry), what wasmtime 48.0.8 reads modules with.
# A guess from memory: externref came with reference types, so REFERENCE_TYPES decides about it, and GC can stay off. Seen:
# a flag of its own, GC_TYPES, decides, whatever GC says. funcref does not need it. The error speaks of "gc types", not of
# reference types.
# Why it matters: an engine that was built without a collector switches GC_TYPES off with it, and modules of toolchains
# that only hold an externref table (which need no collector to be read) are refused then.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat >Cargo.toml <<'END'
[package]
name = "reads"
edition = "2021"
[dependencies]
wasmparser = "=0.254.2"
wat = "=1.254.2"
[workspace]
END
cat >src/main.rs <<'END'
use wasmparser::{Validator, WasmFeatures as F};

fn main() {
    let sets = [
        ("WASM2", F::WASM2),
        ("WASM2 without GC_TYPES", F::WASM2.difference(F::GC_TYPES)),
        ("WASM2 without GC_TYPES, with GC", F::WASM2.difference(F::GC_TYPES).union(F::GC)),
    ];
    for (name, text) in [("funcref", "(module (table 1 funcref))"), ("externref", "(module (table 1 externref))")] {
        let bytes = wat::parse_str(text).unwrap();
        for (set, features) in sets {
            let said = match Validator::new_with_features(features).validate_all(&bytes) {
                Ok(_) => "good".to_owned(),
                Err(error) => error.message().to_owned(),
            };
            println!("{name}, {set}: {said}");
        }
    }
}
END
cargo build --quiet
cat >stated <<'END'
funcref, WASM2: good
funcref, WASM2 without GC_TYPES: good
funcref, WASM2 without GC_TYPES, with GC: good
externref, WASM2: good
externref, WASM2 without GC_TYPES: gc types are disallowed but found type which requires gc
externref, WASM2 without GC_TYPES, with GC: gc types are disallowed but found type which requires gc
END
target/debug/reads | tee -a seen
diff -u --label stated --label seen stated seen && echo "as stated"
