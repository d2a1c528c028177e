//! Trimming.

use crate::{MountError, MountId, Rehearsal, System, Trimmed};
use std::time::Duration;

/// Trimming file systems.
pub trait Trimmer {
    /// Discards the unused blocks of the file system mounted at `mount_point` (FITRIM), free extents shorter than `minimum`
    /// bytes excepted. Not opened, for `EXDEV`, if it is not `is`. `ETIMEDOUT` if that has no end within `limit`; the kernel
    /// goes on with it.
    fn trim(
        &self,
        mount_point: &[u8],
        is: Option<MountId>,
        minimum: u64,
        limit: Duration,
    ) -> Result<Trimmed, MountError>;
}

impl<S: System> Trimmer for Rehearsal<S> {
    fn trim(&self, _: &[u8], _: Option<MountId>, minimum: u64, _: Duration) -> Result<Trimmed, MountError> {
        Ok(Trimmed { bytes: 0, minimum })
    }
}
