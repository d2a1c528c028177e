//! Things that a path leads to, held (open(2), O_PATH): nothing happens to them, whatever they are.

use super::local::Look;
use crate::ObjectKind;
use crate::linux::lookup;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2, readlink};
use nix::libc;
use nix::sys::stat::{FileStat, fstat};
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// By what the kernel remembers alone.
const CACHED: ResolveFlag = ResolveFlag::from_bits_retain(libc::RESOLVE_CACHED);

/// The major number of /dev/null, /dev/zero and their like, which never wait.
const MEMORY_DEVICES: u32 = 1;

/// Links are text, and lead where they lead; those of a process to its open files (proc_pid_fd(5)) are none.
pub(in crate::linux) const BY_LINKS: ResolveFlag = ResolveFlag::RESOLVE_NO_MAGICLINKS;

/// No link at all, not even as the last step.
pub(in crate::linux) const STRAIGHT: ResolveFlag = BY_LINKS.union(ResolveFlag::RESOLVE_NO_SYMLINKS);

/// No link, and nothing outside of the folder where the way begins.
pub(in crate::linux) const BELOW: ResolveFlag = STRAIGHT.union(ResolveFlag::RESOLVE_BENEATH);

/// A thing that is held, and what there is to know of it.
#[derive(Debug)]
pub(in crate::linux) struct Object {
    pub(in crate::linux) descriptor: OwnedFd,
    pub(in crate::linux) facts: Facts,
}

/// What there is to know of a thing.
#[derive(Clone, Debug)]
pub(in crate::linux) struct Facts {
    pub(in crate::linux) kind: ObjectKind,
    /// In bytes; 0 if it is not a regular file.
    pub(in crate::linux) size: u64,
    pub(in crate::linux) has_other_names: bool,
    pub(in crate::linux) is_link: bool,
    /// Whether nobody but root, or whom the agent runs as, can write to it.
    pub(in crate::linux) is_ours: bool,
    /// Whether opening, reading and closing it waits for its file system at most: it is not a device with a driver of its own.
    pub(in crate::linux) is_plain: bool,
    device: (u32, u32),
    inode: u64,
    /// None without /proc, before Linux 5.8.
    pub(in crate::linux) mount: Option<u64>,
}

impl Deref for Object {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

impl Object {
    /// What `path` leads to from `at`.
    pub(in crate::linux) fn find(look: &Look, at: impl AsFd, path: &[u8], how: ResolveFlag) -> Result<Self, Errno> {
        Self::open(look, at, path, OFlag::empty(), how)
    }

    /// One step from the folder `at`; a link is not followed but found itself.
    pub(in crate::linux) fn step(look: &Look, at: impl AsFd, name: &[u8]) -> Result<Self, Errno> {
        Self::open(look, at, name, OFlag::O_NOFOLLOW, BY_LINKS)
    }

    fn open(look: &Look, at: impl AsFd, path: &[u8], flags: OFlag, how: ResolveFlag) -> Result<Self, Errno> {
        if look.is_at_once() {
            return Self::open_at_once(look, at.as_fd(), path, flags, how);
        }
        let found = lookup::open(at, path, flags | OFlag::O_PATH | OFlag::O_CLOEXEC, how)?;
        Self::of(look, found)
    }

    /// By what the kernel remembers; what it does not, it may read step by step from the disks of the machine.
    fn open_at_once(
        look: &Look,
        at: BorrowedFd<'_>,
        path: &[u8],
        flags: OFlag,
        how: ResolveFlag,
    ) -> Result<Self, Errno> {
        let (how, ends) = (how | CACHED, ends(path));
        let mut known = None;
        loop {
            match hold(at, path, flags, how) {
                // So says a kernel that cannot do without asking, or a filter that does not let it.
                Err(Errno::ENOSYS | Errno::EPERM) => return Err(look.give_up()),
                Err(Errno::EINVAL) if !path.contains(&0) => return Err(look.give_up()),
                Err(Errno::EAGAIN) => {}
                result => return result.and_then(|descriptor| Self::of(look, descriptor)),
            }
            let count = Self::read_step(look, at, path, &ends, how).filter(|count| known.is_none_or(|it| it < *count));
            known = Some(count.ok_or_else(|| look.give_up())?);
        }
    }

    /// Has the kernel read the first step that it does not remember, and tells how many it had remembered before. Nothing if what
    /// it has to look into is not a folder on a file system of the machine.
    fn read_step(look: &Look, at: BorrowedFd<'_>, path: &[u8], ends: &[usize], how: ResolveFlag) -> Option<usize> {
        let place = |count: usize| {
            let begin: &[u8] = if path.starts_with(b"/") { b"/" } else { b"." };
            let path = count.checked_sub(1).map_or(begin, |last| &path[..ends[last]]);
            let descriptor = hold(at, path, OFlag::empty(), how).ok()?;
            Facts::of(look, &descriptor).is_ok().then_some(descriptor)
        };
        let mut folder = place(0)?;
        let (mut low, mut high) = (0, ends.len().saturating_sub(1));
        while low < high {
            let middle = high - (high - low) / 2;
            match place(middle) {
                Some(further) => (folder, low) = (further, middle),
                None => high = middle - 1,
            }
        }
        let begin = low.checked_sub(1).map_or(0, |last| ends[last]);
        let name = without_leading(&path[begin..*ends.get(low)?]);
        // What is found counts only when it is remembered.
        let _ = hold(folder.as_fd(), name, OFlag::O_NOFOLLOW, BY_LINKS | ResolveFlag::RESOLVE_NO_XDEV);
        (name != b"..").then_some(low)
    }

    /// Of what is held already.
    pub(in crate::linux) fn of(look: &Look, descriptor: OwnedFd) -> Result<Self, Errno> {
        let facts = Facts::of(look, &descriptor)?;
        Ok(Object { descriptor, facts })
    }

    /// Its path as the kernel has it now. It only proposes: what it says may be over by now.
    pub(in crate::linux) fn path(&self) -> Result<Vec<u8>, Errno> {
        Ok(readlink(link_to(&self.descriptor).as_str())?.into_vec())
    }
}

impl Facts {
    /// What there is to know of what is open. [`Object`]s know it already.
    pub(in crate::linux) fn of(look: &Look, descriptor: impl AsFd) -> Result<Self, Errno> {
        let status = status(&descriptor, look)?;
        let mount = (status.stx_mask & libc::STATX_MNT_ID != 0).then_some(status.stx_mnt_id);
        let mount = mount.or_else(|| lookup::mount_of(&descriptor));
        look.meet(mount)?;
        let mode = libc::mode_t::from(status.stx_mode);
        let kind = match mode & libc::S_IFMT {
            libc::S_IFREG => ObjectKind::File,
            libc::S_IFDIR => ObjectKind::Folder,
            _ => ObjectKind::Special,
        };
        let is_file = kind == ObjectKind::File;
        let trusted = status.stx_uid == 0 || status.stx_uid == nix::unistd::geteuid().as_raw();
        let is_link = mode & libc::S_IFMT == libc::S_IFLNK;
        Ok(Facts {
            kind,
            size: if is_file { status.stx_size } else { 0 },
            has_other_names: is_file && status.stx_nlink > 1,
            is_link,
            // A link has no mode.
            is_ours: trusted && (is_link || mode & (libc::S_IWGRP | libc::S_IWOTH) == 0),
            is_plain: match mode & libc::S_IFMT {
                libc::S_IFREG | libc::S_IFDIR | libc::S_IFIFO => true,
                libc::S_IFCHR => status.stx_rdev_major == MEMORY_DEVICES,
                _ => false,
            },
            device: (status.stx_dev_major, status.stx_dev_minor),
            inode: status.stx_ino,
            mount,
        })
    }

    /// Whether both are one thing.
    pub(in crate::linux) fn is(&self, other: &Facts) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// Whether both may be on one file system. Below an overlay, files and folders can show different devices, but not
    /// different mounts.
    pub(super) fn is_beside(&self, other: &Facts) -> bool {
        self.device == other.device || self.is_mounted_with(other)
    }

    /// Whether both were surely reached by the same mount.
    pub(super) fn is_mounted_with(&self, other: &Facts) -> bool {
        self.mount.is_some() && self.mount == other.mount
    }
}

/// openat2(2), once, for who must not wait.
fn hold(at: BorrowedFd<'_>, path: &[u8], flags: OFlag, how: ResolveFlag) -> Result<OwnedFd, Errno> {
    let how = OpenHow::new().flags(flags | OFlag::O_PATH | OFlag::O_CLOEXEC).resolve(how);
    openat2(at, OsStr::from_bytes(path), how)
}

/// Where each step of a path ends.
pub(super) fn ends(path: &[u8]) -> Vec<usize> {
    let is_end = |at: &usize| path[at - 1] != b'/' && path.get(*at).is_none_or(|next| *next == b'/');
    (1..=path.len()).filter(is_end).collect()
}

/// A path without the slashes that it begins with.
pub(super) fn without_leading(path: &[u8]) -> &[u8] {
    &path[path.iter().take_while(|byte| **byte == b'/').count()..]
}

/// Another way to what a descriptor of this thread's holds: the kernel goes to the thing itself, whatever its path is by now.
/// Threads do not all have the same descriptors, so it goes by the thread.
pub(in crate::linux) fn link_to(descriptor: impl AsFd) -> String {
    format!("/proc/thread-self/fd/{}", descriptor.as_fd().as_raw_fd())
}

fn status(descriptor: impl AsFd, look: &Look) -> Result<libc::statx, Errno> {
    let mut status = MaybeUninit::<libc::statx>::zeroed();
    // A server is not asked by who must not wait; what a file system of the machine says is the same.
    let sync = if look.is_at_once() { libc::AT_STATX_DONT_SYNC } else { 0 };
    let (flags, mask) = (libc::AT_EMPTY_PATH | sync, libc::STATX_BASIC_STATS | libc::STATX_MNT_ID);
    // SAFETY: the descriptor is open, the path is an empty C string, and `status` has room for what the kernel writes.
    #[expect(unsafe_code, reason = "nix has no statx(2)")]
    let result = unsafe { libc::statx(descriptor.as_fd().as_raw_fd(), c"".as_ptr(), flags, mask, status.as_mut_ptr()) };
    match Errno::result(result) {
        // A filter that does not know the call. Where it says so as an old kernel does, the C library asks fstat(2) itself, or
        // says EINVAL to a flag that fstat has not; nothing else here could be invalid. fstat(2) may ask a server.
        Err(Errno::EPERM | Errno::ENOSYS | Errno::EINVAL) if look.is_at_once() => return Err(look.give_up()),
        Err(Errno::EPERM | Errno::ENOSYS | Errno::EINVAL) => return Ok(as_before_statx(&fstat(descriptor)?)),
        result => drop(result?),
    }
    // SAFETY: it was made of zeros, which are a value of every member.
    #[expect(unsafe_code, reason = "the memory is initialised")]
    Ok(unsafe { status.assume_init() })
}

/// What fstat(2) knows, in the same form.
pub(in crate::linux) fn as_before_statx(found: &FileStat) -> libc::statx {
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
                let it = Object::step(&Look::patiently(), nix::fcntl::AT_FDCWD, &path).unwrap();
                let known = (it.kind, it.size, it.has_other_names, it.is_link, it.is_ours);
                (known, it.device, it.inode, it.mount)
            };
            let expected = look.clone()();
            assert_eq!(refusing(&[libc::SYS_statx, libc::SYS_openat2], look), expected, "{name}");
            assert!(expected.3.is_some());
        }
    }
}
