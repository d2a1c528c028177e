//! The engine's configuration, in one place.
//!
//! Code compiled ahead of time runs only in an engine that was configured the same way, so `bulkhead-compile`
//! (which has a compiler) and `bulkhead` (which has none) both call [`config`]. Whatever is not needed is off:
//! a proposal that is not enabled cannot have a bug that matters here.

mod config;
mod features;

pub use config::config;
pub use features::{FEATURES, REFUSED};
pub use wasmtime::wasmparser;

/// Which engine machine code was made for: the version of wasmtime, and a number for our configuration and the forms of code
/// (`host/compile/src/form.rs`). Code on record with another one is never loaded; it is compiled again.
///
/// Count the number up when the configuration or the forms change; the version is `make update-engine`'s to change. Tests notice both.
pub const IDENTITY: &str = "wasmtime 48.0.8, configuration 4";

/// The stack a guest module may use, in bytes. It bounds runaway recursion: 256 KiB is a few thousand frames,
/// while the deepest honest module (a JSON reader with its own nesting limit) needs under 32 KiB. The thread
/// that runs modules must have a larger stack than this, or the process would abort instead of the module trap.
pub const MAX_WASM_STACK: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    /// Of the number in [`IDENTITY`], the stack, and the text of the configuration, the features and the forms. When it differs, ask whether the
    /// machine code does; then count the number up, and put the new digest here.
    const DIGEST: &str = "81356f9d3d9524f8ca90c4e2173ab4e98ba6b96c757ad4365e05c853638a9a1b";

    #[test]
    fn another_version_of_the_engine_has_another_identity() {
        let lock = include_str!("../../../Cargo.lock");
        let version = lock.split("[[package]]").find_map(|package| {
            let mut lines = package.trim().lines();
            (lines.next() == Some("name = \"wasmtime\"")).then(|| lines.next().unwrap_or_default())
        });
        let version = version.and_then(|line| line.strip_prefix("version = \"")).unwrap().trim_end_matches('"');
        assert!(IDENTITY.starts_with(&format!("wasmtime {version}, ")), "Cargo.lock has wasmtime {version}");
    }

    #[test]
    fn another_configuration_has_another_identity() {
        let comments = |line: &&str| !line.trim_start().starts_with("//");
        let features = include_str!("features.rs").split("#[cfg(test)]").next().unwrap();
        let files = [include_str!("config.rs"), features, include_str!("../../compile/src/form.rs")];
        let text: Vec<_> = files.iter().flat_map(|text| text.lines()).filter(comments).collect();
        let (_, number) = IDENTITY.split_once(", ").unwrap();
        let text = format!("{number}\n{MAX_WASM_STACK}\n{}", text.join("\n"));
        let digest: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, DIGEST, "the configuration is another: so must IDENTITY be");
    }
}
