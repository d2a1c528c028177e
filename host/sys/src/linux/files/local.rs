//! File systems that answer at once, and looking things up without waiting for any other.

use super::super::patience::{self, Held, Kept, Question};
use super::PATIENCE;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The kinds of file systems that have a disk or the memory of this machine behind them, and nobody else: no server, no other
/// program (FUSE), no second file system that may be anywhere (overlay), and no driver or process that is looked into (/proc,
/// /sys).
const LOCAL: &[&str] = &[
    "bcachefs", "btrfs", "devtmpfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "hfsplus", "iso9660", "jfs",
    "minix", "msdos", "nilfs2", "ntfs3", "ramfs", "reiserfs", "squashfs", "tmpfs", "udf", "vfat", "xfs", "zfs",
];

/// How long the table of mounts may be that is read after each change, in bytes: some ten thousand mounts. In a longer one no
/// file system is known, and all are waited for by other threads; that costs each file two hand-overs.
const TABLE: u64 = 1024 * 1024;

/// What is known of the file systems that are mounted, until something is mounted or unmounted.
struct Known {
    /// The table of mounts, of which poll(2) tells when it has changed.
    table: Option<File>,
    changes: u64,
    /// By the numbers of mounts: whether they answer at once.
    mounts: BTreeMap<u64, bool>,
}

static KNOWN: Mutex<Known> = Mutex::new(Known { table: None, changes: 0, mounts: BTreeMap::new() });

/// The state of the table of mounts: a number that is another one after each change. None if changes cannot be seen. A mount
/// that was in the table, and is held, is the same as long as this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mounted(Option<u64>);

impl Known {
    fn look(&mut self) -> Mounted {
        let Some(table) = &self.table else {
            self.table = open_table();
            return if self.table.is_some() { self.read_again() } else { Mounted(None) };
        };
        let mut asked = [PollFd::new(table.as_fd(), PollFlags::POLLPRI)];
        let is_changed = match poll(&mut asked, PollTimeout::ZERO) {
            Ok(_) => asked[0].revents().is_none_or(|it| it.intersects(PollFlags::POLLPRI | PollFlags::POLLERR)),
            Err(_) => true,
        };
        if is_changed { self.read_again() } else { Mounted(Some(self.changes)) }
    }

    /// Reads the table. Another change while it is read is seen the next time.
    fn read_again(&mut self) -> Mounted {
        self.changes += 1;
        self.mounts.clear();
        let mut text = Vec::new();
        // By another description than the one that tells of changes, for reading has a position.
        let read = open_table().map(|table| table.take(TABLE + 1).read_to_end(&mut text));
        if read.is_some_and(|read| read.is_ok_and(|count| count as u64 <= TABLE)) {
            self.mounts.extend(text.split(|byte| *byte == b'\n').filter_map(mount));
        }
        Mounted(Some(self.changes))
    }
}

/// Opens the table, if it is the kernel's own: of another file nobody tells that it has changed.
fn open_table() -> Option<File> {
    let table = File::open("/proc/self/mountinfo").ok()?;
    fstatfs(&table).is_ok_and(|found| found.filesystem_type() == PROC_SUPER_MAGIC).then_some(table)
}

/// The number of a mount, and whether it answers at once, from its line in the table (proc_pid_mountinfo(5)). Spaces in paths are
/// written otherwise there.
fn mount(line: &[u8]) -> Option<(u64, bool)> {
    let line = str::from_utf8(line).ok()?;
    let number = line.split(' ').next()?.parse().ok()?;
    let kind = line.split_once(" - ")?.1.split(' ').next()?;
    Some((number, LOCAL.contains(&kind)))
}

impl Mounted {
    /// As it is now.
    fn now() -> Self {
        known().look()
    }
}

/// Nothing panics while it holds it, so it is whole.
fn known() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a mount, of which this is the number, answers at once.
pub(in crate::linux) fn is_local(mount: Option<u64>) -> bool {
    mount.is_some_and(|mount| known().mounts.get(&mount) == Some(&true))
}

/// Looks something up: at once if that is possible, else by a thread that may wait, which is asked `question`.
pub(in crate::linux) fn look_up<T: Send + 'static>(
    question: Question,
    find: impl Fn(&Look) -> Result<T, Errno> + Send + 'static,
) -> Result<T, Errno> {
    let look = Look::at_once();
    let found = find(&look);
    if look.counts() {
        return found;
    }
    // What was found so far may have to be closed.
    drop(found);
    patience::PLACES.room()?;
    patience::ask(question, PATIENCE, move || find(&Look::patiently()))
}

/// How something is looked up.
///
/// At once means: by what the kernel remembers (RESOLVE_CACHED of openat2(2), since Linux 5.12), and only where a file system of
/// the machine itself is. Then no server is asked, so this may be done by a thread that must not wait. Where that is not
/// enough, what was found counts for nothing.
#[derive(Debug)]
pub(in crate::linux) struct Look {
    /// Nothing if it may take its time.
    begun: Option<Mounted>,
    is_in_vain: Cell<bool>,
}

impl Look {
    /// Without waiting.
    pub(in crate::linux) fn at_once() -> Self {
        let begun = Mounted::now();
        Look { begun: Some(begun), is_in_vain: Cell::new(begun.0.is_none()) }
    }

    /// As long as it takes.
    pub(in crate::linux) fn patiently() -> Self {
        Look { begun: None, is_in_vain: Cell::new(false) }
    }

    /// Whether it must not wait.
    pub(in crate::linux) fn is_at_once(&self) -> bool {
        self.begun.is_some()
    }

    /// It cannot go on without waiting.
    pub(in crate::linux) fn give_up(&self) -> Errno {
        self.is_in_vain.set(true);
        Errno::EAGAIN
    }

    /// Something was found on this mount. `EAGAIN` if that must not be touched.
    pub(super) fn meet(&self, mount: Option<u64>) -> Result<(), Errno> {
        if self.is_at_once() && !is_local(mount) { Err(self.give_up()) } else { Ok(()) }
    }

    /// Whether what was found counts: nothing had to be waited for, and nothing was mounted meanwhile.
    pub(in crate::linux) fn counts(&self) -> bool {
        !self.is_in_vain.get() && self.begun.is_none_or(|begun| Mounted::now() == begun)
    }

    /// Holds what was found.
    pub(in crate::linux) fn hold(&self, found: OwnedFd) -> Held {
        if self.is_at_once() { Held::Ours(found) } else { Held::Theirs(Arc::new(Kept::new(found))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_local_by_its_kind_alone() {
        let told = |line: &str| mount(line.as_bytes());
        assert_eq!(told("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext4 /dev/root rw"), Some((36, true)));
        assert_eq!(told("7 1 0:45 / /a\\040-\\040ext4 rw - fuse.sshfs ext4 rw"), Some((7, false)));
        for kind in ["fuse", "fuseblk", "nfs4", "cifs", "9p", "virtiofs", "overlay", "autofs", "proc", "sysfs", "ext4x"]
        {
            assert_eq!(told(&format!("7 1 0:45 / /a rw - {kind} ext4 rw")), Some((7, false)), "{kind}");
        }
        assert_eq!(told(""), None);
        assert_eq!(told("7 1 0:45 / /a rw"), None);
    }

    #[test]
    fn the_table_is_the_same_until_it_changes() {
        let before = Mounted::now();
        assert!(before.0.is_some());
        assert_eq!(Mounted::now(), before);
    }
}
