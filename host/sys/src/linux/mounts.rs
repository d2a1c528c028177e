//! Reading the mount table, and asking file systems how full they are.

use super::{errno, patience};
use crate::Usage;
use nix::errno::Errno;
use nix::sys::stat::{SFlag, major, minor, stat};
use nix::sys::statvfs::statvfs;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// See [`crate::System::mount_table`].
pub(super) fn mount_table() -> Result<File, Errno> {
    File::open("/proc/self/mountinfo").map_err(errno)
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
    fn the_table_is_text() {
        let table = std::io::read_to_string(mount_table().unwrap()).unwrap();
        assert!(table.ends_with('\n') && table.lines().all(|line| line.contains(" - ")));
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
