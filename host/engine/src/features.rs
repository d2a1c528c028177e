//! Which WebAssembly a module may be made of. No default of the engine decides it: all that the engine knows is switched off, and
//! then on what is needed, so that a newer engine brings nothing that nobody here has thought of.

use wasmtime::Config;
use wasmtime::wasmparser::WasmFeatures;

/// What modules may use: what rustc, clang, zig, Go and AssemblyScript emit for a module with one memory, and components.
pub const FEATURES: WasmFeatures = WasmFeatures::FLOATS
    .union(WasmFeatures::MUTABLE_GLOBAL)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    // Of these, tables of functions and how `call_indirect` is written. References to anything else are under `GC_TYPES`.
    .union(WasmFeatures::REFERENCE_TYPES)
    // What zig's default model of a processor has, and position-independent code.
    .union(WasmFeatures::EXTENDED_CONST)
    // Base64 and searching are several times faster with it.
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::COMPONENT_MODEL);

/// What they may not use, each with what it is called to a person whose module does. Together with [`FEATURES`] this is all that the
/// engine's reader of WebAssembly knows: a test tells when a newer one knows more.
pub const REFUSED: &[(WasmFeatures, &str)] = &[
    (WasmFeatures::LEGACY_EXCEPTIONS, "exceptions of the older kind"),
    (WasmFeatures::EXCEPTIONS, "exceptions"),
    (WasmFeatures::STACK_SWITCHING, "stack switching"),
    (WasmFeatures::CUSTOM_DESCRIPTORS, "custom descriptors"),
    (WasmFeatures::CM_GC, "garbage-collected values between components"),
    (WasmFeatures::GC, "garbage collection"),
    (WasmFeatures::FUNCTION_REFERENCES, "typed function references"),
    (WasmFeatures::GC_TYPES, "garbage-collected references"),
    (WasmFeatures::SHARED_EVERYTHING_THREADS, "threads that share everything"),
    (WasmFeatures::CM_THREADING, "threads of components"),
    (WasmFeatures::THREADS, "threads"),
    (WasmFeatures::TAIL_CALL, "tail calls"),
    (WasmFeatures::CM64, "components with 64-bit memories"),
    (WasmFeatures::MEMORY64, "64-bit memories"),
    (WasmFeatures::MULTI_MEMORY, "more than one memory in a core module"),
    (WasmFeatures::MEMORY_CONTROL, "control of memory pages"),
    (WasmFeatures::CUSTOM_PAGE_SIZES, "pages of another size than 64 KiB"),
    (WasmFeatures::RELAXED_SIMD, "relaxed SIMD"),
    (WasmFeatures::WIDE_ARITHMETIC, "wide arithmetic"),
    (WasmFeatures::COMPACT_IMPORTS, "compact imports"),
    (WasmFeatures::CM_ASYNC_STACKFUL, "asynchronous functions with a stack of their own"),
    (WasmFeatures::CM_MORE_ASYNC_BUILTINS, "more asynchronous built-in functions"),
    (WasmFeatures::CM_ERROR_CONTEXT, "error contexts"),
    (WasmFeatures::CM_ASYNC, "asynchronous components"),
    (WasmFeatures::CM_VALUES, "values as imports and exports of components"),
    (WasmFeatures::CM_NESTED_NAMES, "nested names of packages"),
    (WasmFeatures::CM_FIXED_LENGTH_LISTS, "lists of a fixed length"),
    (WasmFeatures::CM_MAP, "maps"),
    (WasmFeatures::CM_IMPLEMENTS, "imports that name what they implement"),
    (WasmFeatures::CM_CANON_NAMES, "names with a suffix for the version"),
];

/// Switches all of it on or off, whatever the engine would do by itself.
pub(crate) fn choose(config: &mut Config) {
    config.wasm_features(WasmFeatures::all(), false);
    config.wasm_features(FEATURES, true);
    // These the engine keeps apart from what it reads.
    config.wasm_branch_hinting(false);
    config.shared_memory(false);
    config.concurrency_support(false);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_that_the_engine_knows_is_decided_once() {
        let mut decided = FEATURES;
        for (feature, called) in REFUSED {
            assert!(!decided.intersects(*feature), "'{called}' is decided twice");
            decided = decided.union(*feature);
        }
        let open: Vec<_> = WasmFeatures::all().difference(decided).iter_names().map(|(name, _)| name).collect();
        assert!(
            open.is_empty(),
            "put these into FEATURES or REFUSED, and a sample of each into host/compile: {open:?}"
        );
        assert_eq!(decided, WasmFeatures::all());
    }
}
