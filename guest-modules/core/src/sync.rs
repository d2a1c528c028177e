//! `guest-sync` and `guest-sync-delimited`: the client's number comes back, so that the client knows that what
//! follows is fresh.

use crate::bindings::bulkhead::agent::agent;
use crate::schema::{GuestSyncArguments, GuestSyncDelimitedArguments};
use bulkhead_module::CommandError;

/// Answers with the number alone.
pub fn sync(arguments: GuestSyncArguments) -> Result<i64, CommandError> {
    Ok(arguments.id)
}

/// Answers with the number behind the sentinel: a client may skip everything up to that byte, which occurs nowhere
/// else in what the agent sends.
pub fn sync_delimited(arguments: GuestSyncDelimitedArguments) -> Result<i64, CommandError> {
    agent::delimit_reply();
    Ok(arguments.id)
}
