//! `guest-ping`: an answer means that the agent, its engine and its modules work.

use crate::schema::GuestPingArguments;
use bulkhead_module::{CommandError, Empty};

/// Answers.
pub fn ping(_: GuestPingArguments) -> Result<Empty, CommandError> {
    Ok(Empty {})
}
