//! A mount table made from the pretended disks.

use super::State;
use nix::errno::Errno;

/// One line per disk, each a device of its own.
pub(super) fn mountinfo(state: &State, limit: usize) -> Result<Vec<u8>, Errno> {
    let line = |(index, disk): (usize, &super::Disk)| {
        format!("{index} 0 8:{index} / {} rw - ext4 /dev/fake{index} rw\n", disk.mount_point)
    };
    let table: String = state.disks.iter().enumerate().map(line).collect();
    if table.len() > limit { Err(Errno::EOVERFLOW) } else { Ok(table.into_bytes()) }
}
