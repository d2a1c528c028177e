//! `disks`: what a disk tells of itself.

use crate::{Asked, Errno, Refusal};
use bulkhead_border::Disks;
use bulkhead_catalog::Capability;
use std::time::Duration;

/// How long a disk may take to answer. A healthy one needs a millisecond; one that is failing may be reset by its
/// driver first, which takes longer, and its owner needs the rest of the list.
const PATIENCE: Duration = Duration::from_secs(5);

impl Disks for Asked<'_> {
    fn nvme_health(&mut self, name: Vec<u8>) -> Result<Vec<u8>, Refusal<Errno>> {
        self.require(Capability::Disks, &[])?;
        Ok(self.gate.system.nvme_health(&name, PATIENCE)?)
    }
}
