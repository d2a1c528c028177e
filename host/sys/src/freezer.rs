//! Freezing and thawing.

use crate::{MountError, MountId, Rehearsal, System};
use nix::errno::Errno;

/// Freezing file systems, and thawing them.
pub trait Freezer {
    /// Freezes the file system mounted at `mount_point` (FIFREEZE). Blocks until writes under way are done. Not opened, for
    /// `EXDEV`, if it is not `is`.
    fn freeze(&self, mount_point: &[u8], is: Option<MountId>) -> Result<(), MountError>;

    /// Thaws it, once (FITHAW); `EINVAL` if it was not frozen.
    fn thaw(&self, mount_point: &[u8]) -> Result<(), MountError>;
}

impl<S: System> Freezer for Rehearsal<S> {
    fn freeze(&self, _mount_point: &[u8], _is: Option<MountId>) -> Result<(), MountError> {
        Ok(())
    }

    fn thaw(&self, _mount_point: &[u8]) -> Result<(), MountError> {
        // As often as it takes: it was never frozen.
        Err(MountError::Failed(Errno::EINVAL))
    }
}
