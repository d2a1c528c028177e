//! The health of disks.

use crate::{Rehearsal, System};
use nix::errno::Errno;
use std::time::Duration;

/// Asking disks how they are.
pub trait Disks {
    /// The health log of the NVMe disk `name`; `ENODEV` if it is none, `ETIMEDOUT` if it does not answer within `patience`.
    fn nvme_health(&self, name: &[u8], patience: Duration) -> Result<Vec<u8>, Errno>;
}

impl<S: System> Disks for Rehearsal<S> {
    fn nvme_health(&self, _name: &[u8], _patience: Duration) -> Result<Vec<u8>, Errno> {
        // A command to the disk is no mere look.
        Err(Errno::ENODEV)
    }
}
