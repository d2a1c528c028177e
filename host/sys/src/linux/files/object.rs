//! Things that a path leads to, held (open(2), O_PATH): nothing happens to them, whatever they are.

use crate::ObjectKind;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2, readlink};
use nix::libc;
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// How often a lookup is begun anew that a simultaneous renaming has disturbed (`EAGAIN` of openat2(2)).
const ATTEMPTS: usize = 16;

/// Links are text, and lead where they lead; those of a process to its open files (proc_pid_fd(5)) are none.
pub(super) const BY_LINKS: ResolveFlag = ResolveFlag::RESOLVE_NO_MAGICLINKS;

/// No link at all, not even as the last step.
pub(super) const STRAIGHT: ResolveFlag = BY_LINKS.union(ResolveFlag::RESOLVE_NO_SYMLINKS);

/// No link, and nothing outside of the folder where the way begins.
pub(super) const BELOW: ResolveFlag = STRAIGHT.union(ResolveFlag::RESOLVE_BENEATH);

/// A thing, and what there is to know of it.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) descriptor: OwnedFd,
    pub(super) kind: ObjectKind,
    /// In bytes; 0 if it is no regular file.
    pub(super) size: u64,
    pub(super) has_other_names: bool,
    pub(super) is_link: bool,
    /// Whether nobody but root, or whom the agent runs as, can write to it.
    pub(super) is_ours: bool,
    device: (u32, u32),
    inode: u64,
    /// None before Linux 5.8.
    mount: Option<u64>,
}

impl Object {
    /// What `path` leads to from `at`.
    pub(super) fn find(at: impl AsFd, path: &[u8], how: ResolveFlag) -> Result<Self, Errno> {
        Self::open(at, path, OFlag::empty(), how)
    }

    /// One step from the folder `at`; a link is not followed but found itself.
    pub(super) fn step(at: impl AsFd, name: &[u8]) -> Result<Self, Errno> {
        Self::open(at, name, OFlag::O_NOFOLLOW, BY_LINKS)
    }

    fn open(at: impl AsFd, path: &[u8], flags: OFlag, how: ResolveFlag) -> Result<Self, Errno> {
        let how = OpenHow::new().flags(flags | OFlag::O_PATH | OFlag::O_CLOEXEC).resolve(how);
        for _ in 0..ATTEMPTS {
            match openat2(&at, OsStr::from_bytes(path), how) {
                Err(Errno::EAGAIN) => {}
                result => return result.and_then(Self::of),
            }
        }
        Err(Errno::EAGAIN)
    }

    fn of(descriptor: OwnedFd) -> Result<Self, Errno> {
        let status = status(&descriptor)?;
        let mode = libc::mode_t::from(status.stx_mode);
        let kind = match mode & libc::S_IFMT {
            libc::S_IFREG => ObjectKind::File,
            libc::S_IFDIR => ObjectKind::Folder,
            _ => ObjectKind::Special,
        };
        let is_file = kind == ObjectKind::File;
        let trusted = status.stx_uid == 0 || status.stx_uid == nix::unistd::geteuid().as_raw();
        let is_link = mode & libc::S_IFMT == libc::S_IFLNK;
        Ok(Object {
            descriptor,
            kind,
            size: if is_file { status.stx_size } else { 0 },
            has_other_names: is_file && status.stx_nlink > 1,
            is_link,
            // A link has no mode.
            is_ours: trusted && (is_link || mode & (libc::S_IWGRP | libc::S_IWOTH) == 0),
            device: (status.stx_dev_major, status.stx_dev_minor),
            inode: status.stx_ino,
            mount: (status.stx_mask & libc::STATX_MNT_ID != 0).then_some(status.stx_mnt_id),
        })
    }

    /// Whether both are one thing.
    pub(super) fn is(&self, other: &Object) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// Whether both may be on one file system. Below an overlay, files and folders can show different devices, but not
    /// different mounts.
    pub(super) fn is_beside(&self, other: &Object) -> bool {
        self.device == other.device || self.is_mounted_with(other)
    }

    /// Whether both were surely reached by the same mount.
    pub(super) fn is_mounted_with(&self, other: &Object) -> bool {
        self.mount.is_some() && self.mount == other.mount
    }

    /// Its path as the kernel has it now. It only proposes: what it says may be over by now.
    pub(super) fn path(&self) -> Result<Vec<u8>, Errno> {
        Ok(readlink(link_to(&self.descriptor).as_str())?.into_vec())
    }
}

/// Another way to what a descriptor holds: the kernel goes to the thing itself, whatever its path is by now.
pub(super) fn link_to(descriptor: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", descriptor.as_raw_fd())
}

fn status(descriptor: &OwnedFd) -> Result<libc::statx, Errno> {
    let mut status = MaybeUninit::<libc::statx>::zeroed();
    let (flags, mask) = (libc::AT_EMPTY_PATH, libc::STATX_BASIC_STATS | libc::STATX_MNT_ID);
    // SAFETY: the descriptor is open, the path is an empty C string, and `status` has room for what the kernel writes.
    #[expect(unsafe_code, reason = "nix has no statx(2)")]
    let result = unsafe { libc::statx(descriptor.as_raw_fd(), c"".as_ptr(), flags, mask, status.as_mut_ptr()) };
    Errno::result(result)?;
    // SAFETY: it was made of zeros, which are a value of every member.
    #[expect(unsafe_code, reason = "the memory is initialised")]
    Ok(unsafe { status.assume_init() })
}
