//! `guest-file-flush`: hands to the kernel what was written. It does not wait for the disk, nor does qemu-ga.

use crate::bindings::bulkhead::agent::files;
use crate::error::failed;
use crate::schema::GuestFileFlushArguments;
use bulkhead_module::{CommandError, Empty};

/// Flushes the file.
pub fn flush(arguments: GuestFileFlushArguments) -> Result<Empty, CommandError> {
    let handle = arguments.handle;
    files::flush(handle).map_err(|error| failed("failed to flush file", handle, error))?;
    Ok(Empty {})
}
