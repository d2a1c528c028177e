//! `disks`: what a disk tells of itself.

use crate::{Errno, Gate, GateError};
use bulkhead_catalog::Capability;
use std::time::Duration;

/// How long a disk may take to answer. A healthy one needs a millisecond; one that is failing may be reset by its
/// driver first, which takes longer, and its owner needs the rest of the list.
const PATIENCE: Duration = Duration::from_secs(5);

impl Gate {
    /// The health log of an NVMe disk.
    pub fn nvme_health(&self, module: &str, name: &[u8]) -> Result<Vec<u8>, GateError<Errno>> {
        self.require(module, Capability::Disks, &[])?;
        Ok(self.system.nvme_health(name, PATIENCE)?)
    }
}
