//! The commands and modules that there are, for tests: the catalog, which has them, stands above this room.

/// The names of qemu-ga's commands.
pub(crate) fn commands() -> Vec<&'static str> {
    include_str!("../../../schemas/commands.txt").lines().filter(|line| line.starts_with("guest-")).collect()
}

/// The names of the built-in modules.
pub(crate) fn modules() -> Vec<&'static str> {
    include_str!("../../../schemas/modules.txt").lines().collect()
}
