//! A mount table made from the pretended disks.

use super::{Fake, State};
use crate::Usage;
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the pretended disks answer when they are asked how full they are, by mount point.
#[derive(Debug, Default)]
pub(super) struct Usages {
    answers: BTreeMap<Vec<u8>, Result<Usage, Errno>>,
}

impl Fake {
    /// Says what the disk mounted at `mount_point` answers when it is asked how full it is.
    pub fn set_usage(&self, mount_point: &str, answer: Result<Usage, Errno>) {
        self.0.borrow_mut().usage.answers.insert(mount_point.into(), answer);
    }
}

/// One line per disk, each a device of its own.
pub(super) fn mountinfo(state: &State, limit: usize) -> Result<Vec<u8>, Errno> {
    let line = |(index, disk): (usize, &super::Disk)| {
        format!("{index} 0 8:{index} / {} rw - ext4 /dev/fake{index} rw\n", disk.mount_point)
    };
    let table: String = state.disks.iter().enumerate().map(line).collect();
    if table.len() > limit { Err(Errno::EOVERFLOW) } else { Ok(table.into_bytes()) }
}

/// See [`crate::System::usage`]. Who was told nothing is asked in vain.
pub(super) fn usage(state: &State, mount_point: &[u8], _patience: Duration) -> Result<Usage, Errno> {
    state.usage.answers.get(mount_point).copied().unwrap_or(Err(Errno::ETIMEDOUT))
}
