//! Things that a path leads to, held (open(2), O_PATH): nothing happens to them, whatever they are.

use crate::ObjectKind;
use crate::linux::lookup;
use nix::errno::Errno;
use nix::fcntl::{OFlag, ResolveFlag, readlink};
use nix::libc;
use nix::sys::stat::{FileStat, fstat};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

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
    /// None without /proc, before Linux 5.8.
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
        lookup::open(at, path, flags | OFlag::O_PATH | OFlag::O_CLOEXEC, how).and_then(Self::of)
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
        let mount = (status.stx_mask & libc::STATX_MNT_ID != 0).then_some(status.stx_mnt_id);
        let mount = mount.or_else(|| lookup::mount_of(&descriptor));
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
            mount,
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
    match Errno::result(result) {
        // A filter that does not know the call; where the kernel does not, the C library has done the same.
        Err(Errno::EPERM | Errno::ENOSYS) => return Ok(as_before_statx(&fstat(descriptor)?)),
        result => drop(result?),
    }
    // SAFETY: it was made of zeros, which are a value of every member.
    #[expect(unsafe_code, reason = "the memory is initialised")]
    Ok(unsafe { status.assume_init() })
}

/// What fstat(2) knows, in the same form.
fn as_before_statx(found: &FileStat) -> libc::statx {
    // SAFETY: it is made of zeros, which are a value of every member.
    #[expect(unsafe_code, reason = "the structure has members that have no names")]
    let mut status = unsafe { MaybeUninit::<libc::statx>::zeroed().assume_init() };
    // The kind and the permissions of a file are 16 bits.
    status.stx_mode = (found.st_mode & 0xFFFF) as u16;
    status.stx_uid = found.st_uid;
    status.stx_size = found.st_size.unsigned_abs();
    status.stx_nlink = u32::try_from(found.st_nlink).unwrap_or(u32::MAX);
    status.stx_ino = found.st_ino;
    (status.stx_dev_major, status.stx_dev_minor) = (libc::major(found.st_dev), libc::minor(found.st_dev));
    status
}

#[cfg(test)]
mod tests {
    use super::super::tests::Scratch;
    use super::*;
    use crate::linux::filter::refusing;

    #[test]
    fn without_statx_the_same_is_known() {
        let scratch = Scratch::new();
        scratch.write("file", "text");
        std::fs::hard_link(scratch.path("file"), scratch.path("name")).unwrap();
        std::os::unix::fs::symlink("file", scratch.path("link")).unwrap();
        for name in ["file", "link", ""] {
            let path = scratch.text(name).into_bytes();
            let look = move || {
                let it = Object::open(nix::fcntl::AT_FDCWD, &path, OFlag::O_NOFOLLOW, BY_LINKS).unwrap();
                let known = (it.kind, it.size, it.has_other_names, it.is_link, it.is_ours);
                (known, it.device, it.inode, it.mount)
            };
            let expected = look.clone()();
            assert_eq!(refusing(&[libc::SYS_statx, libc::SYS_openat2], look), expected, "{name}");
            assert!(expected.3.is_some());
        }
    }
}
