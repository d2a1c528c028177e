//! Freezing and thawing; ioctl_fs FIFREEZE and FITHAW (linux/fs.h). Both need CAP_SYS_ADMIN.

use super::{Linux, at_mount_point};
use crate::{Freezer, MountError, MountId};
use nix::libc::c_int;
use std::os::fd::AsRawFd;

mod ioctl {
    #![allow(unsafe_code, missing_docs, reason = "nix makes these functions from the numbers in linux/fs.h")]
    use nix::libc::c_int;
    nix::ioctl_readwrite!(fifreeze, b'X', 119, c_int);
    nix::ioctl_readwrite!(fithaw, b'X', 120, c_int);
}

impl Freezer for Linux {
    fn freeze(&self, mount_point: &[u8], is: Option<MountId>) -> Result<(), MountError> {
        at_mount_point(mount_point, is, |file_system| {
            let mut unused: c_int = 0;
            // SAFETY: the descriptor is open for the whole call; the kernel ignores the argument, and `unused` outlives it.
            #[expect(unsafe_code, reason = "an ioctl")]
            unsafe { ioctl::fifreeze(file_system.as_raw_fd(), &raw mut unused) }.map(drop)
        })
    }

    fn thaw(&self, mount_point: &[u8]) -> Result<(), MountError> {
        at_mount_point(mount_point, None, |file_system| {
            let mut unused: c_int = 0;
            // SAFETY: the descriptor is open for the whole call; the kernel ignores the argument, and `unused` outlives it.
            #[expect(unsafe_code, reason = "an ioctl")]
            unsafe { ioctl::fithaw(file_system.as_raw_fd(), &raw mut unused) }.map(drop)
        })
    }
}
