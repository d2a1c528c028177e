//! Reading the mount table, and asking file systems how full they are.

use super::{errno, patience};
use crate::Usage;
use nix::errno::Errno;
use nix::sys::stat::{SFlag, major, minor, stat};
use nix::sys::statvfs::statvfs;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// See [`crate::System::mountinfo`].
pub(super) fn mountinfo(limit: usize) -> Result<Vec<u8>, Errno> {
    let file = File::open("/proc/self/mountinfo").map_err(errno)?;
    // Large enough for most tables at once: between two reads the table may change.
    let mut table = Vec::with_capacity(64 * 1024);
    file.take(limit as u64 + 1).read_to_end(&mut table).map_err(errno)?;
    if table.len() > limit { Err(Errno::EOVERFLOW) } else { Ok(table) }
}

/// See [`crate::System::block_device`].
pub(super) fn block_device(path: &[u8]) -> Result<(u32, u32), Errno> {
    let found = stat(OsStr::from_bytes(path))?;
    if found.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFBLK.bits() {
        return Err(Errno::ENODEV);
    }
    let narrow = |number: u64| u32::try_from(number).map_err(|_| Errno::EOVERFLOW);
    Ok((narrow(major(found.st_rdev))?, narrow(minor(found.st_rdev))?))
}

/// See [`crate::System::usage`].
pub(super) fn usage(mount_point: &[u8], patience: Duration) -> Result<Usage, Errno> {
    let theirs = mount_point.to_vec();
    patience::ask(("usage", mount_point.to_vec()), patience, move || {
        let space = statvfs(OsStr::from_bytes(&theirs))?;
        let bytes = |blocks: u64| blocks.saturating_mul(space.fragment_size());
        Ok(Usage {
            total: bytes(space.blocks()),
            free: bytes(space.blocks_free()),
            available: bytes(space.blocks_available()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole_or_not_at_all() {
        let table = mountinfo(4 << 20).unwrap();
        assert!(table.ends_with(b"\n"));
        assert_eq!(mountinfo(table.len() / 2), Err(Errno::EOVERFLOW));
    }

    #[test]
    fn a_file_system_tells_how_full_it_is() {
        let space = usage(b"/", Duration::from_secs(60)).unwrap();
        assert!(space.total > space.free && space.free >= space.available, "{space:?}");
        assert_eq!(usage(b"/no/such/thing", Duration::from_secs(60)), Err(Errno::ENOENT));
    }

    #[test]
    fn only_block_devices_have_a_block_devices_number() {
        assert_eq!(block_device(b"/dev/null"), Err(Errno::ENODEV));
        assert_eq!(block_device(b"/no/such/thing"), Err(Errno::ENOENT));
    }
}
