//! Which mounts are file systems on a disk of this VM.

use crate::bindings::bulkhead::agent::mounts;
use crate::mountinfo::{self, Mount};
use bulkhead_module::CommandError;
use std::collections::HashSet;

/// The mount points of all file systems on local block devices, in the order in which they were mounted. A device
/// that is mounted more than once (a bind mount, say) is listed with its first mount point only: it has one
/// superblock, and that can be frozen once.
pub fn on_disks() -> Result<Vec<Vec<u8>>, CommandError> {
    let table = mounts::mountinfo().map_err(|code| {
        CommandError::generic(format!("failed to open file '/proc/self/mountinfo': {}", code.text()))
    })?;
    Ok(select(mountinfo::parse(&table), block_device))
}

fn block_device(source: &[u8]) -> Option<(u32, u32)> {
    mounts::block_device(source).ok().map(|device| (device.major, device.minor))
}

/// Network, memory and other file systems without a disk have major number 0. btrfs has too, for the volumes of a
/// file system: there the source tells the device.
fn select(table: Vec<Mount>, block_device: impl Fn(&[u8]) -> Option<(u32, u32)>) -> Vec<Vec<u8>> {
    let mut seen = HashSet::new();
    let on_disk = |mount: Mount| {
        let device = match mount.device {
            (0, _) if mount.kind == b"btrfs" => block_device(&mount.source)?,
            (0, _) => return None,
            device => device,
        };
        seen.insert(device).then_some(mount.mount_point)
    };
    table.into_iter().filter_map(on_disk).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(table: &str) -> Vec<String> {
        let device = |source: &[u8]| (source == b"/dev/vdb").then_some((254, 16));
        let points = select(mountinfo::parse(table.as_bytes()), device);
        points.into_iter().map(|point| String::from_utf8(point).unwrap()).collect()
    }

    #[test]
    fn file_systems_without_a_disk_are_left_out() {
        let table = "\
1 0 254:1 / / rw - ext4 /dev/vda1 rw
2 1 0:20 / /proc rw - proc proc rw
3 1 0:21 / /run rw - tmpfs tmpfs rw
4 1 0:40 / /srv rw - nfs4 host:/srv rw
5 1 254:2 / /data rw - xfs /dev/vda2 rw";
        assert_eq!(selected(table), ["/", "/data"]);
    }

    #[test]
    fn a_superblock_counts_once_with_its_first_mount_point() {
        let table = "\
1 0 254:1 / / rw - ext4 /dev/vda1 rw
2 1 7:0 / /a rw - ext4 /dev/loop0 rw
3 1 254:1 /home /home rw - ext4 /dev/vda1 rw
4 1 7:0 / /b rw - ext4 /dev/loop0 rw";
        assert_eq!(selected(table), ["/", "/a"]);
    }

    #[test]
    fn btrfs_is_known_by_its_source() {
        let table = "\
1 0 0:30 /@ / rw - btrfs /dev/vdb rw
2 1 0:30 /@home /home rw - btrfs /dev/vdb rw
3 1 0:31 / /x rw - btrfs /dev/gone rw";
        assert_eq!(selected(table), ["/"]);
    }
}
