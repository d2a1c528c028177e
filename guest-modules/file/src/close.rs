//! `guest-file-close`: the handle is gone, and its number is not given again.

use crate::bindings::bulkhead::agent::files;
use crate::error::failed;
use crate::schema::GuestFileCloseArguments;
use bulkhead_module::{CommandError, Empty};

/// Closes the file.
pub fn close(arguments: GuestFileCloseArguments) -> Result<Empty, CommandError> {
    let handle = arguments.handle;
    files::close(handle).map_err(|error| failed("failed to close handle", handle, error))?;
    Ok(Empty {})
}
