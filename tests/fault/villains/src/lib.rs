//! What the villains share. Each is a file in `examples/`, named for its vice; `tests/fault/tests` has its punishment.

use bulkhead_module::{CommandError, FromArguments, Members};

/// The arguments of a command whose arguments do not matter. It takes none, so send it none.
#[derive(Debug)]
pub struct Nothing;

impl FromArguments for Nothing {
    fn from_arguments(_: &mut Members) -> Result<Self, CommandError> {
        Ok(Nothing)
    }
}
