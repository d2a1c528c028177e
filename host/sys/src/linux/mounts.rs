//! Reading the mount table, and asking file systems how full they are.

use super::files::{BY_LINKS, Look, Object, STRAIGHT, look_up};
use super::{Linux, errno, is_the_one, patience, reach_mount_point};
use crate::{MountId, Mounts, Usage};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag};
use nix::sys::stat::{SFlag, fstat, major, minor};
use nix::sys::statvfs::{Statvfs, fstatvfs};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::time::Duration;

impl Mounts for Linux {
    fn mount_table(&self) -> Result<File, Errno> {
        File::open("/proc/self/mountinfo").map_err(errno)
    }

    /// The path is what the table of mounts has, and whoever mounted something chose it (FUSE's
    /// fsname): it may lead to a file system that does not answer.
    fn block_device(&self, path: &[u8]) -> Result<(u32, u32), Errno> {
        let theirs = path.to_vec();
        let found = look_up(("device", path.to_vec()), move |look| {
            let found = Object::find(look, AT_FDCWD, &theirs, BY_LINKS)?;
            fstat(&found.descriptor)
        })?;
        if found.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFBLK.bits() {
            return Err(Errno::ENODEV);
        }
        let narrow = |number: u64| u32::try_from(number).map_err(|_| Errno::EOVERFLOW);
        Ok((narrow(major(found.st_rdev))?, narrow(minor(found.st_rdev))?))
    }

    /// A file system of the machine itself is asked without further ado, also while too many others
    /// owe an answer.
    fn usage(&self, mount_point: &[u8], is: Option<MountId>, patience: Duration) -> Result<Usage, Errno> {
        let look = Look::at_once();
        let found = Object::find(&look, AT_FDCWD, mount_point, STRAIGHT);
        if let (Ok(found), true) = (found, look.counts()) {
            return is_the_one(&found.descriptor, is).and_then(|()| fstatvfs(&found.descriptor).map(told));
        }
        let theirs = mount_point.to_vec();
        patience::ask(("usage", mount_point.to_vec()), patience, move || {
            fstatvfs(reach_mount_point(&theirs, is, OFlag::O_PATH | OFlag::O_CLOEXEC)?).map(told)
        })
    }

    fn btrfs_id(&self, mount_point: &[u8], is: MountId, patience: Duration) -> Result<Vec<u8>, Errno> {
        let theirs = mount_point.to_vec();
        patience::ask(("btrfs", mount_point.to_vec()), patience, move || {
            let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
            let reached = reach_mount_point(&theirs, Some(is), flags)?;
            let mut info = BtrfsInfo { max_id: 0, num_devices: 0, fsid: [0; 16], rest: [0; 992] };
            // SAFETY: the descriptor is open for the whole call, and `info`, which outlives it, has the size the kernel writes.
            #[expect(unsafe_code, reason = "an ioctl")]
            unsafe { ioctl::btrfs_fs_info(reached.as_raw_fd(), &raw mut info) }?;
            Ok(info.fsid.to_vec())
        })
    }
}

fn told(space: Statvfs) -> Usage {
    let bytes = |blocks: u64| blocks.saturating_mul(space.fragment_size());
    Usage { total: bytes(space.blocks()), free: bytes(space.blocks_free()), available: bytes(space.blocks_available()) }
}

/// `struct btrfs_ioctl_fs_info_args` of linux/btrfs.h, as far as it is read here.
#[repr(C)]
struct BtrfsInfo {
    max_id: u64,
    num_devices: u64,
    fsid: [u8; 16],
    rest: [u8; 992],
}

mod ioctl {
    #![allow(unsafe_code, missing_docs, reason = "nix makes this function from the number in linux/btrfs.h")]
    nix::ioctl_read!(btrfs_fs_info, 0x94, 31, super::BtrfsInfo);
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// What the kernel's table has of the last mount at a path.
    fn line_of(mount_point: &str) -> MountId {
        let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let fields = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let line = table.lines().map(fields).rfind(|fields| fields[4] == mount_point).unwrap();
        let (major, minor) = line[2].split_once(':').unwrap();
        MountId { mount: line[0].parse().unwrap(), device: (major.parse().unwrap(), minor.parse().unwrap()) }
    }

    #[test]
    fn what_is_at_a_path_is_the_file_system_that_was_asked_for() {
        let (root, proc) = (line_of("/"), line_of("/proc"));
        assert!(Linux.usage(b"/", Some(root), LONG).is_ok());
        let nowhere = MountId { mount: u64::MAX, device: (0, 0) };
        for other in [MountId { mount: root.mount, ..nowhere }, MountId { device: root.device, ..nowhere }] {
            assert!(Linux.usage(b"/", Some(other), LONG).is_ok(), "either is enough");
        }
        assert_eq!(Linux.usage(b"/", Some(proc), LONG), Err(Errno::EXDEV));
        assert_eq!(Linux.usage(b"/proc/sys", Some(root), LONG), Err(Errno::EXDEV));
        assert_eq!(Linux.usage(b"/proc/self", Some(proc), LONG), Err(Errno::ELOOP), "there are no links in the table");
        assert_eq!(Linux.btrfs_id(b"/proc", root, LONG), Err(Errno::EXDEV));
    }

    #[test]
    fn only_a_btrfs_has_a_btrfs_identity() {
        assert_eq!(size_of::<BtrfsInfo>(), 1024, "as linux/btrfs.h has it");
        assert_eq!(Linux.btrfs_id(b"/proc", line_of("/proc"), LONG), Err(Errno::ENOTTY));
    }

    #[test]
    fn the_table_is_text() {
        let table = std::io::read_to_string(Linux.mount_table().unwrap()).unwrap();
        assert!(table.ends_with('\n') && table.lines().all(|line| line.contains(" - ")));
    }

    #[test]
    fn a_file_system_tells_how_full_it_is() {
        let space = Linux.usage(b"/", None, LONG).unwrap();
        assert!(space.total > space.free && space.free >= space.available, "{space:?}");
        assert_eq!(Linux.usage(b"/no/such/thing", None, LONG), Err(Errno::ENOENT));
    }

    #[test]
    fn only_block_devices_have_a_block_devices_number() {
        assert_eq!(Linux.block_device(b"/dev/null"), Err(Errno::ENODEV));
        assert_eq!(Linux.block_device(b"/no/such/thing"), Err(Errno::ENOENT));
    }
}
