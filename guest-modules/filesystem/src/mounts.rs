//! Which mounts are file systems on a disk of this VM.

use crate::bindings::bulkhead::agent::mounts;
use bulkhead_module::CommandError;
use bulkhead_module::mountinfo::{self, Mount};

/// All file systems on local block devices, in the order in which they were mounted. A device that is mounted more than
/// once (a bind mount, say) is listed with its first mount point only: it has one superblock, and that can be frozen once.
pub fn on_disks() -> Result<Vec<Mount>, CommandError> {
    mountinfo::read_on_disks(mounts::next_mounts, block_device)
        .map_err(|code| CommandError::generic(format!("failed to open file '/proc/self/mountinfo': {}", code.text())))
}

fn block_device(source: &[u8]) -> Option<(u32, u32)> {
    mounts::block_device(source).ok().map(|device| (device.major, device.minor))
}
