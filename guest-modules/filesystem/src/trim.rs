//! `guest-fstrim`: tell the disks which blocks are unused.

use crate::bindings::bulkhead::agent::trimmer::{self, Trimmed};
use crate::mounts;
use crate::schema::{GuestFilesystemTrimResponse, GuestFilesystemTrimResult, GuestFstrimArguments};
use bulkhead_module::mountinfo::Mount;
use bulkhead_module::{CommandError, ErrorCode, MountError};

/// Trims every file system on a disk, last mounted first. A failure is reported beside its path; the others go on.
pub fn trim(arguments: GuestFstrimArguments) -> Result<GuestFilesystemTrimResponse, CommandError> {
    let minimum = arguments.minimum.unwrap_or(0).cast_unsigned();
    let trim = |mount: &Mount| report(&mount.mount_point, reach(mount, minimum));
    let paths = mounts::on_disks()?.iter().rev().map(trim).collect();
    Ok(GuestFilesystemTrimResponse { paths })
}

/// Trims it where it can be reached: no other file system in its place, if one is mounted over it.
fn reach(mount: &Mount, minimum: u64) -> Result<Trimmed, MountError> {
    let trim = |it| match trimmer::trim_mounted(&it, minimum) {
        // It was reached, whatever came of it.
        Err(MountError::NotOpened(code)) => Err(code),
        outcome => Ok(outcome),
    };
    mount.reach(trim).map_err(MountError::NotOpened)?
}

fn report(point: &[u8], outcome: Result<Trimmed, MountError>) -> GuestFilesystemTrimResult {
    let path = String::from_utf8_lossy(point).into_owned();
    let (trimmed, minimum, error) = match outcome {
        Ok(done) => (Some(done.bytes.cast_signed()), Some(done.minimum.cast_signed()), None),
        Err(MountError::NotOpened(ErrorCode::CrossDevice)) => {
            (None, None, Some("failed to open: another file system is mounted over it".to_owned()))
        }
        Err(MountError::NotOpened(code)) => (None, None, Some(format!("failed to open: {}", code.text()))),
        Err(MountError::Failed(ErrorCode::NoTty | ErrorCode::NotSupported)) => {
            (None, None, Some("trim not supported".to_owned()))
        }
        Err(MountError::Failed(code)) => (None, None, Some(format!("failed to trim: {}", code.text()))),
    };
    GuestFilesystemTrimResult { path, trimmed, minimum, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_that_cannot_trim_says_so() {
        let result = report(b"/mnt", Err(MountError::Failed(ErrorCode::NotSupported)));
        assert_eq!(result.error.as_deref(), Some("trim not supported"));
        assert_eq!((result.trimmed, result.minimum), (None, None));
    }

    #[test]
    fn bytes_and_minimum_are_the_kernels() {
        let result = report(b"/mnt", Ok(Trimmed { bytes: 4096, minimum: 512 }));
        assert_eq!((result.trimmed, result.minimum, result.error), (Some(4096), Some(512), None));
    }
}
