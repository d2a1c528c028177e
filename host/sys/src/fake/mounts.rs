//! A mount table made from the pretended disks.

use super::Fake;
use crate::{MountId, Usage, in_memory};
use nix::errno::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::time::Duration;

/// What the pretended system knows of what is mounted.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    /// What disks answer when they are asked how full they are, by mount point.
    usage: BTreeMap<Vec<u8>, Result<Usage, Errno>>,
    /// The text of the table, if it is not made from the disks; or why there is none.
    table: Option<Result<Vec<u8>, Errno>>,
    /// The numbers of block devices, by their paths.
    devices: BTreeMap<Vec<u8>, (u32, u32)>,
    /// Mount points over which something else is mounted.
    hidden: BTreeSet<Vec<u8>>,
    /// The identities of btrfs, by mount point.
    btrfs: BTreeMap<Vec<u8>, [u8; 16]>,
}

impl Mounts {
    pub(super) fn is_hidden(&self, mount_point: &[u8]) -> bool {
        self.hidden.contains(mount_point)
    }
}

impl Fake {
    /// Says what the disk mounted at `mount_point` answers when it is asked how full it is.
    pub fn set_usage(&self, mount_point: &str, answer: Result<Usage, Errno>) {
        self.0.borrow_mut().mounts.usage.insert(mount_point.into(), answer);
    }

    /// Says what the mount table is, in the form of proc_pid_mountinfo(5), whatever disks there are.
    pub fn set_mountinfo(&self, table: impl Into<Vec<u8>>) {
        self.0.borrow_mut().mounts.table = Some(Ok(table.into()));
    }

    /// From now on the mount table cannot be read, for this reason.
    pub fn refuse_mountinfo(&self, errno: Errno) {
        self.0.borrow_mut().mounts.table = Some(Err(errno));
    }

    /// Mounts something over `mount_point`: who asks for the file system that is there by the table does not reach it.
    pub fn hide(&self, mount_point: &str) {
        self.0.borrow_mut().mounts.hidden.insert(mount_point.into());
    }

    /// Makes what is mounted at `mount_point` a btrfs of this identity.
    pub fn set_btrfs(&self, mount_point: &str, id: [u8; 16]) {
        self.0.borrow_mut().mounts.btrfs.insert(mount_point.into(), id);
    }

    /// Makes a block device with this major and minor number.
    pub fn add_block_device(&self, path: &str, number: (u32, u32)) {
        self.0.borrow_mut().mounts.devices.insert(path.into(), number);
    }
}

impl crate::Mounts for Fake {
    /// The table that was set, or one line per disk, each a device of its own.
    fn mount_table(&self) -> Result<File, Errno> {
        let state = &self.0.borrow();
        let line = |(index, disk): (usize, &super::Disk)| {
            format!("{index} 0 8:{index} / {} rw - ext4 /dev/fake{index} rw\n", disk.mount_point)
        };
        let made = || state.disks.iter().enumerate().map(line).collect::<String>().into_bytes();
        in_memory(&state.mounts.table.clone().unwrap_or_else(|| Ok(made()))?)
    }

    fn block_device(&self, path: &[u8]) -> Result<(u32, u32), Errno> {
        let state = &self.0.borrow();
        state.mounts.devices.get(path).copied().ok_or(Errno::ENODEV)
    }

    /// Who was told nothing is asked in vain.
    fn usage(&self, mount_point: &[u8], is: Option<MountId>, _patience: Duration) -> Result<Usage, Errno> {
        let state = &self.0.borrow();
        if is.is_some() && state.mounts.is_hidden(mount_point) {
            return Err(Errno::EXDEV);
        }
        state.mounts.usage.get(mount_point).copied().unwrap_or(Err(Errno::ETIMEDOUT))
    }

    fn btrfs_id(&self, mount_point: &[u8], _is: MountId, _patience: Duration) -> Result<Vec<u8>, Errno> {
        let state = &self.0.borrow();
        if state.mounts.is_hidden(mount_point) {
            return Err(Errno::EXDEV);
        }
        state.mounts.btrfs.get(mount_point).map(|id| id.to_vec()).ok_or(Errno::ENOTTY)
    }
}
