//! Reading the mount table.

use nix::errno::Errno;
use nix::sys::stat::{SFlag, major, minor, stat};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Error, Read};
use std::os::unix::ffi::OsStrExt;

/// See [`crate::System::mountinfo`].
pub(super) fn mountinfo(limit: usize) -> Result<Vec<u8>, Errno> {
    let file = File::open("/proc/self/mountinfo").map_err(errno)?;
    let mut table = Vec::new();
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

fn errno(error: Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EIO as i32))
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
    fn only_block_devices_have_a_block_devices_number() {
        assert_eq!(block_device(b"/dev/null"), Err(Errno::ENODEV));
        assert_eq!(block_device(b"/no/such/thing"), Err(Errno::ENOENT));
    }
}
