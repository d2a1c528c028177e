//! `guest-file-seek`: moves a file's position and tells it.

use crate::bindings::bulkhead::agent::files::{self, Whence};
use crate::error::failed;
use crate::schema::{GuestFileSeek, GuestFileSeekArguments, GuestFileWhence, QGASeek};
use bulkhead_module::CommandError;

/// Seeks. Behind the end is allowed, before the start is not. `eof` is always false, as after fseek(3).
pub fn seek(arguments: GuestFileSeekArguments) -> Result<GuestFileSeek, CommandError> {
    let handle = arguments.handle;
    let whence = whence(&arguments.whence)?;
    let position =
        files::seek(handle, arguments.offset, whence).map_err(|error| failed("failed to seek file", handle, error))?;
    Ok(GuestFileSeek { position: position.cast_signed(), eof: false })
}

/// From where: by name or, for old clients, by the number that C has for it on Linux.
fn whence(whence: &GuestFileWhence) -> Result<Whence, CommandError> {
    match whence {
        GuestFileWhence::Name(QGASeek::Set) | GuestFileWhence::Value(0) => Ok(Whence::Start),
        GuestFileWhence::Name(QGASeek::Cur) | GuestFileWhence::Value(1) => Ok(Whence::Current),
        GuestFileWhence::Name(QGASeek::End) | GuestFileWhence::Value(2) => Ok(Whence::End),
        GuestFileWhence::Value(other) => Err(CommandError::generic(format!("invalid whence code {other}"))),
    }
}
