//! The real system.

mod files;
mod freezer;
mod mounts;
mod programs;
mod trimmer;

use crate::{MountError, OpenFlags, Program, ProgramError, System, Trimmed};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

/// The Linux we run on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Linux;

impl System for Linux {
    fn open_file(&self, path: &[u8], flags: OpenFlags) -> Result<File, Errno> {
        files::open_file(path, flags)
    }

    fn mountinfo(&self, limit: usize) -> Result<Vec<u8>, Errno> {
        mounts::mountinfo(limit)
    }

    fn block_device(&self, path: &[u8]) -> Result<(u32, u32), Errno> {
        mounts::block_device(path)
    }

    fn freeze(&self, mount_point: &[u8]) -> Result<(), MountError> {
        freezer::freeze(mount_point)
    }

    fn thaw(&self, mount_point: &[u8]) -> Result<(), MountError> {
        freezer::thaw(mount_point)
    }

    fn trim(&self, mount_point: &[u8], minimum: u64) -> Result<Trimmed, MountError> {
        trimmer::trim(mount_point, minimum)
    }

    fn is_executable(&self, path: &[u8]) -> bool {
        programs::is_executable(path)
    }

    fn run(&self, program: &Program) -> Result<(), ProgramError> {
        programs::run(program)
    }
}

/// Opens a mount point so that an ioctl(2) can be sent to its file system.
fn open_mount_point(path: &[u8]) -> Result<OwnedFd, MountError> {
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    open(OsStr::from_bytes(path), flags, Mode::empty()).map_err(MountError::NotOpened)
}
