//! Trimming; ioctl_fs FITRIM (linux/fs.h). Needs CAP_SYS_ADMIN.

use super::{Linux, open_mount_point, patience};
use crate::{MountError, MountId, Trimmed, Trimmer};
use std::os::fd::AsRawFd;
use std::time::Duration;

/// `struct fstrim_range` of linux/fs.h; all three in bytes.
#[repr(C)]
struct Range {
    start: u64,
    len: u64,
    minlen: u64,
}

mod ioctl {
    #![allow(unsafe_code, missing_docs, reason = "nix makes this function from the number in linux/fs.h")]
    nix::ioctl_readwrite!(fitrim, b'X', 121, super::Range);
}

impl Trimmer for Linux {
    /// By a thread of its own: the disk decides how long it takes, which is not processor time of whoever
    /// asks for it, and nobody can call it back.
    fn trim(
        &self,
        mount_point: &[u8],
        is: Option<MountId>,
        minimum: u64,
        limit: Duration,
    ) -> Result<Trimmed, MountError> {
        let theirs = mount_point.to_vec();
        let trimmed = patience::have_done(("trim", mount_point.to_vec()), limit, move || {
            Ok(trim_patiently(&theirs, is, minimum))
        });
        trimmed.map_err(MountError::Failed)?
    }
}

fn trim_patiently(mount_point: &[u8], is: Option<MountId>, minimum: u64) -> Result<Trimmed, MountError> {
    let file_system = open_mount_point(mount_point, is)?;
    let mut range = Range { start: 0, len: u64::MAX, minlen: minimum };
    // SAFETY: the descriptor is open for the whole call, `range` has the layout the kernel expects and outlives it.
    #[expect(unsafe_code, reason = "an ioctl")]
    unsafe { ioctl::fitrim(file_system.as_raw_fd(), &raw mut range) }.map_err(MountError::Failed)?;
    Ok(Trimmed { bytes: range.len, minimum: range.minlen })
}
