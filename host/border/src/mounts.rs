//! `mounts`: the mount table, and how full file systems are.

use crate::{Errno, MountId, Refusal};

/// How full a file system is, in bytes; see `wit/mounts.wit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All of it.
    pub total: u64,
    /// What is not in use, what is set aside for root included.
    pub free: u64,
    /// What is not in use, for everybody else.
    pub available: u64,
}

interface! {
    /// The mount table, and how full file systems are.
    Mounts {
        /// The table as a whole, up to 4 MiB; `EOVERFLOW` if it is longer.
        fn mountinfo() -> Result<Vec<u8>, Refusal<Errno>>;

        /// The next lines of the table, about 64 KiB of whole ones; none at its end. The call after that begins it anew.
        fn next_mounts() -> Result<Vec<u8>, Refusal<Errno>>;

        /// Major and minor number of the block device at `path`.
        fn block_device(path: Vec<u8>) -> Result<(u32, u32), Refusal<Errno>>;

        /// How full the file system mounted at `mount_point` is; `EXDEV` if it is not `is`.
        fn usage(mount_point: Vec<u8>, is: Option<MountId>) -> Result<Usage, Refusal<Errno>>;

        /// The identity of the btrfs mounted there, 16 bytes.
        fn btrfs_id(mount_point: Vec<u8>, is: MountId) -> Result<Vec<u8>, Refusal<Errno>>;
    }
}
