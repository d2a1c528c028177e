//! Disks whose health a test writes.

use super::Fake;
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the pretended disks answer, by name.
#[derive(Debug, Default)]
pub(super) struct Health {
    answers: BTreeMap<Vec<u8>, Result<Vec<u8>, Errno>>,
}

impl Fake {
    /// Says what an NVMe disk answers when it is asked for its health.
    pub fn set_nvme_health(&self, name: &str, answer: Result<Vec<u8>, Errno>) {
        self.0.borrow_mut().disks_health.answers.insert(name.into(), answer);
    }
}

impl crate::Disks for Fake {
    fn nvme_health(&self, name: &[u8], _patience: Duration) -> Result<Vec<u8>, Errno> {
        let state = &self.0.borrow();
        state.disks_health.answers.get(name).cloned().unwrap_or(Err(Errno::ENODEV))
    }
}
