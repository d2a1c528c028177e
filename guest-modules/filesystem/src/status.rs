//! `guest-fsfreeze-status`: frozen or thawed, by the agent's own record and not by asking every file system.

use crate::bindings::bulkhead::agent::freezer;
use crate::schema::{GuestFsfreezeStatus, GuestFsfreezeStatusArguments};
use bulkhead_module::CommandError;

/// Tells the state.
pub fn status(_: GuestFsfreezeStatusArguments) -> Result<GuestFsfreezeStatus, CommandError> {
    Ok(if freezer::frozen() { GuestFsfreezeStatus::Frozen } else { GuestFsfreezeStatus::Thawed })
}
