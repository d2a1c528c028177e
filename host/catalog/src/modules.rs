//! The built-in modules.

include!(concat!(env!("OUT_DIR"), "/modules.rs"));

/// The names of the built-in modules, as `schemas/modules.txt` has them.
pub fn names() -> Vec<&'static str> {
    MODULES.to_vec()
}

/// Whether the module of this name is built in.
pub fn is_built_in(name: &str) -> bool {
    MODULES.contains(&name)
}
