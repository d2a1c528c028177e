//! What is mounted where, and how full it is.

use crate::{MountId, Usage};
use nix::errno::Errno;
use std::fs::File;
use std::time::Duration;

/// Reading the mount table, and asking file systems.
pub trait Mounts {
    /// /proc/self/mountinfo, opened to be read. The kernel makes its text while it is read, some lines at a time.
    fn mount_table(&self) -> Result<File, Errno>;

    /// Major and minor number of the block device at `path`; `ENODEV` if it is something else.
    fn block_device(&self, path: &[u8]) -> Result<(u32, u32), Errno>;

    /// How full the file system mounted at `mount_point` is (statvfs(3)); `ETIMEDOUT` if it does not answer within
    /// `patience` (less while others do not answer), and at once if it still owes an answer. `EXDEV` if it is not `is`.
    fn usage(&self, mount_point: &[u8], is: Option<MountId>, patience: Duration) -> Result<Usage, Errno>;

    /// The identity of the btrfs mounted at `mount_point`, 16 bytes (BTRFS_IOC_FS_INFO); `ENOTTY` if it is not a btrfs, otherwise as
    /// [`Mounts::usage`].
    fn btrfs_id(&self, mount_point: &[u8], is: MountId, patience: Duration) -> Result<Vec<u8>, Errno>;
}
