//! `disks`: what a disk tells of itself.

use crate::{Errno, Refusal};

interface! {
    /// What a disk tells of itself.
    Disks {
        /// The health log of the NVMe disk `name`, 512 bytes; `ENODEV` if it is none.
        fn nvme_health(name: Vec<u8>) -> Result<Vec<u8>, Refusal<Errno>>;
    }
}
