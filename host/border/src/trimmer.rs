//! `trimmer`: discarding unused blocks.

use crate::{MountError, MountId, Refusal};

/// What a trim did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trimmed {
    /// Bytes given back.
    pub bytes: u64,
    /// The smallest extent considered, in bytes, as the kernel rounded it.
    pub minimum: u64,
}

interface! {
    /// Discarding unused blocks.
    Trimmer {
        /// Trims the file system mounted at `mount_point`, no other than `is`, if that is told. Free extents shorter than `minimum`
        /// bytes are left. `ETIMEDOUT` if the request has no time left for it.
        fn trim(mount_point: Vec<u8>, is: Option<MountId>, minimum: u64) -> Result<Trimmed, Refusal<MountError>>;
    }
}
