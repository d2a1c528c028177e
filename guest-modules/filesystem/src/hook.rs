//! The owner's hook script, which brings applications to rest before a freeze and wakes them after a thaw.

use crate::bindings::bulkhead::agent::freezer::{self, HookPhase};
use bulkhead_module::CommandError;

/// Runs the script; without one, nothing happens.
pub fn run(phase: HookPhase) -> Result<(), CommandError> {
    freezer::run_hook(phase).map_err(|error| CommandError::program("execute fsfreeze hook", &error))
}
