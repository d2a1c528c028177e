//! The file of keys: read, and replaced as a whole. Whoever calls this has the user's rights already, so the file may
//! have several names (hard links) or another owner: it is read only if the user could, and replacing it leaves what
//! was there before untouched under its other names.

use super::super::errno;
use super::folders;
use crate::KeysError;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
use nix::unistd::{UnlinkatFlags, fsync, unlinkat};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};

/// The file's name in `.ssh`.
const NAME: &str = "authorized_keys";

/// Where a new text grows. It is always the same name: what an agent that was killed has left is replaced by the next.
const DRAFT: &str = ".authorized_keys.bulkhead";

/// The text of the file of keys in the home folder at `home`.
pub(super) fn read(home: &[u8], limit: usize) -> Result<Vec<u8>, KeysError> {
    let no_file = |errno| KeysError::NoFile(path(home, &format!("/{NAME}")), errno);
    folders::root().and_then(|root| read_below(&root, home, limit)).map_err(no_file)
}

fn read_below(root: &OwnedFd, home: &[u8], limit: usize) -> Result<Vec<u8>, Errno> {
    // Held first and looked at, so that nothing is opened but a file, whatever the user has put there.
    let found = folders::below_ssh(&folders::home(root, home)?, NAME)?;
    check_regular(&fstat(&found)?)?;
    // What the kernel tells of a process in a file, the agent's own thread could read of the agent.
    if fstatfs(&found)?.filesystem_type() == PROC_SUPER_MAGIC {
        return Err(Errno::EACCES);
    }
    // Without blocking: a file under a lease has a holder who need not answer.
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let file = open(format!("/proc/thread-self/fd/{}", found.as_raw_fd()).as_str(), flags, Mode::empty())?;
    let mut text = Vec::new();
    File::from(file).take(limit as u64 + 1).read_to_end(&mut text).map_err(errno)?;
    if text.len() > limit { Err(Errno::EFBIG) } else { Ok(text) }
}

/// Replaces the file of keys in the home folder at `home`.
pub(super) fn replace(home: &[u8], text: &[u8]) -> Result<(), KeysError> {
    let root = folders::root().map_err(|errno| KeysError::NoFolder(path(home, ""), errno))?;
    replace_below(&root, home, text)
}

fn replace_below(root: &OwnedFd, home: &[u8], text: &[u8]) -> Result<(), KeysError> {
    let no_folder = |errno| KeysError::NoFolder(path(home, ""), errno);
    let found = folders::home(root, home).map_err(no_folder)?;
    folders::make_ssh(&found).map_err(no_folder)?;
    let folder = folders::ssh(&found).map_err(|errno| match errno {
        // mkdir(2) would have said so.
        Errno::ENOTDIR => no_folder(Errno::EEXIST),
        errno => KeysError::NoFile(path(home, &format!("/{NAME}")), errno),
    })?;
    replace_in(&folder, text).map_err(|errno| KeysError::NoFile(path(home, &format!("/{NAME}")), errno))
}

fn replace_in(folder: &OwnedFd, text: &[u8]) -> Result<(), Errno> {
    match fstatat(folder, NAME, AtFlags::AT_SYMLINK_NOFOLLOW) {
        // Replacing a link would be harmless, but it says that the owner keeps the keys elsewhere.
        Ok(found) => check_regular(&found)?,
        Err(Errno::ENOENT) => {}
        Err(errno) => return Err(errno),
    }
    match unlinkat(folder, DRAFT, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => {}
        Err(errno) => return Err(errno),
    }
    // To wait for the disk a folder has to be open for reading.
    let readable = openat(folder, ".", OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut draft = File::from(openat(folder, DRAFT, flags, Mode::S_IRUSR | Mode::S_IWUSR)?);
    let written = draft.write_all(text).and_then(|()| draft.sync_all()).map_err(errno);
    if let Err(errno) = written.and_then(|()| renameat(folder, DRAFT, folder, NAME)) {
        // The old text is still in place. If this fails as well, the next attempt removes the draft.
        let _ = unlinkat(folder, DRAFT, UnlinkatFlags::NoRemoveDir);
        return Err(errno);
    }
    match fsync(&readable) {
        // Some file systems have no such thing for folders.
        Ok(()) | Err(Errno::EINVAL) => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn check_regular(found: &FileStat) -> Result<(), Errno> {
    match SFlag::from_bits_truncate(found.st_mode & SFlag::S_IFMT.bits()) {
        SFlag::S_IFREG => Ok(()),
        SFlag::S_IFDIR => Err(Errno::EISDIR),
        SFlag::S_IFLNK => Err(Errno::ELOOP),
        _ => Err(Errno::EINVAL),
    }
}

/// The path of something in `.ssh`, for messages.
fn path(home: &[u8], rest: &str) -> Vec<u8> {
    let end = home.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    [&home[..end], b"/.ssh", rest.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::super::rights::tests::{as_user, somebody};
    use super::super::tests::Scratch;
    use super::*;
    use nix::fcntl::{RenameFlags, renameat2};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A root with the home folder of somebody, `/home/alice`.
    struct House {
        scratch: Scratch,
        alice: super::super::rights::Account,
    }

    impl House {
        /// Nothing where the tests cannot act as somebody.
        fn new() -> Option<Self> {
            let alice = somebody("/home/alice".as_ref())?;
            let house = House { scratch: Scratch::new(), alice };
            house.scratch.folder("home/alice");
            house.give("");
            Some(house)
        }

        fn home(&self, name: &str) -> PathBuf {
            self.scratch.0.join("home/alice").join(name)
        }

        /// Makes something in the home folder its owner's.
        fn give(&self, name: &str) {
            let (uid, gid) = (self.alice.uid.as_raw(), self.alice.gid.as_raw());
            chown(self.home(name), Some(uid), Some(gid)).unwrap();
        }

        fn make_ssh(&self) {
            std::fs::create_dir(self.home(".ssh")).unwrap();
            self.give(".ssh");
        }

        fn put(&self, text: &str) {
            std::fs::write(self.home(".ssh/authorized_keys"), text).unwrap();
            self.give(".ssh/authorized_keys");
        }

        fn read(&self) -> Result<Vec<u8>, KeysError> {
            let root = File::open(&self.scratch.0).unwrap().into();
            let no_file = |errno| KeysError::NoFile(b"file".to_vec(), errno);
            as_user(&self.alice, move |alice| read_below(&root, &alice.home, 10).map_err(no_file))
        }

        fn replace(&self, text: &'static [u8]) -> Result<(), KeysError> {
            let root = File::open(&self.scratch.0).unwrap().into();
            as_user(&self.alice, move |alice| replace_below(&root, &alice.home, text))
        }
    }

    fn no_file<T>(errno: Errno) -> Result<T, KeysError> {
        Err(KeysError::NoFile(b"/home/alice/.ssh/authorized_keys".to_vec(), errno))
    }

    fn not_read(errno: Errno) -> Result<Vec<u8>, KeysError> {
        Err(KeysError::NoFile(b"file".to_vec(), errno))
    }

    fn no_folder<T>(errno: Errno) -> Result<T, KeysError> {
        Err(KeysError::NoFolder(b"/home/alice/.ssh".to_vec(), errno))
    }

    fn mode(path: &Path) -> (u32, u32) {
        let found = std::fs::symlink_metadata(path).unwrap();
        (found.permissions().mode() & 0o7777, found.uid())
    }

    fn names(folder: &Path) -> Vec<String> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_new_file_is_the_users_alone() {
        let Some(house) = House::new() else { return };
        assert_eq!(house.read(), not_read(Errno::ENOENT));
        assert_eq!(house.replace(b"key"), Ok(()));
        assert_eq!(mode(&house.home(".ssh")), (0o700, 54_321));
        assert_eq!(mode(&house.home(".ssh/authorized_keys")), (0o600, 54_321));
        assert_eq!(names(&house.home(".ssh")), ["authorized_keys"], "the draft is gone");
        assert_eq!(house.read(), Ok(b"key".to_vec()));
    }

    #[test]
    fn an_old_file_is_replaced_and_not_written_to() {
        let Some(house) = House::new() else { return };
        house.make_ssh();
        house.put("old");
        std::fs::hard_link(house.home(".ssh/authorized_keys"), house.home("second")).unwrap();
        std::fs::write(house.home(".ssh/.authorized_keys.bulkhead"), "left by one that was killed").unwrap();
        assert_eq!(house.replace(b"new"), Ok(()));
        assert_eq!(house.read(), Ok(b"new".to_vec()));
        assert_eq!(mode(&house.home(".ssh/authorized_keys")), (0o600, 54_321));
        assert_eq!(mode(&house.home(".ssh")).0, 0o755, "the folder stays as it was");
        assert_eq!(std::fs::read(house.home("second")).unwrap(), b"old", "under its other name nothing has changed");
        assert_eq!(names(&house.home(".ssh")), ["authorized_keys"]);
    }

    #[test]
    fn a_text_is_read_up_to_the_limit_and_not_in_part() {
        let Some(house) = House::new() else { return };
        house.make_ssh();
        house.put("0123456789");
        assert_eq!(house.read(), Ok(b"0123456789".to_vec()));
        house.put("0123456789a");
        assert_eq!(house.read(), not_read(Errno::EFBIG));
    }

    #[test]
    fn what_the_user_may_not_do_is_not_done() {
        let Some(house) = House::new() else { return };
        chown(house.home(""), Some(0), Some(0)).unwrap();
        assert_eq!(house.replace(b"new"), no_folder(Errno::EACCES), "the home folder is somebody else's");
        house.give("");
        house.make_ssh();
        house.put("old");
        chown(house.home(".ssh"), Some(0), Some(0)).unwrap();
        assert_eq!(house.replace(b"new"), no_file(Errno::EACCES), "the folder is somebody else's");
        chown(house.home(".ssh/authorized_keys"), Some(0), Some(0)).unwrap();
        std::fs::set_permissions(house.home(".ssh/authorized_keys"), std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(house.read(), not_read(Errno::EACCES), "the file is somebody else's");
        assert_eq!(std::fs::read(house.home(".ssh/authorized_keys")).unwrap(), b"old");
    }

    #[test]
    fn reading_goes_where_the_user_may_go_and_no_further() {
        let Some(house) = House::new() else { return };
        let elsewhere = house.scratch.folder("elsewhere");
        std::fs::write(elsewhere.join("authorized_keys"), "there").unwrap();
        symlink("../../elsewhere", house.home(".ssh")).unwrap();
        assert_eq!(house.read(), Ok(b"there".to_vec()));
        std::fs::set_permissions(&elsewhere, std::fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(house.read(), not_read(Errno::EACCES), "it is root's alone");

        std::fs::remove_file(house.home(".ssh")).unwrap();
        house.make_ssh();
        let lead = |target: &str| {
            let _ = std::fs::remove_file(house.home(".ssh/authorized_keys"));
            symlink(target, house.home(".ssh/authorized_keys")).unwrap();
            house.read()
        };
        assert_eq!(lead("/etc/shadow"), not_read(Errno::EACCES));
        assert_eq!(lead("/nowhere"), not_read(Errno::ENOENT));
        assert_eq!(lead("authorized_keys"), not_read(Errno::ELOOP));
        assert_eq!(lead("."), not_read(Errno::EISDIR));
        assert_eq!(lead("/dev/null"), not_read(Errno::EINVAL), "and no device is opened");
        // What a user's own link of this kind would show is the agent's.
        assert_eq!(lead("/proc/self/environ"), not_read(Errno::EACCES));
        assert_eq!(lead("/proc/thread-self/status"), not_read(Errno::EACCES));
        let secret = File::open("/etc/shadow").unwrap();
        assert_eq!(lead(&format!("/proc/self/fd/{}", secret.as_raw_fd())), not_read(Errno::ELOOP));
        assert_eq!(lead("/proc/self/root/etc/shadow"), not_read(Errno::ELOOP));
    }

    #[test]
    fn writing_follows_no_link_of_the_users() {
        let Some(house) = House::new() else { return };
        let elsewhere = house.scratch.folder("elsewhere");
        chown(&elsewhere, Some(54_321), Some(54_322)).unwrap();
        std::fs::write(elsewhere.join("authorized_keys"), "old").unwrap();
        symlink("../../elsewhere", house.home(".ssh")).unwrap();
        assert_eq!(house.read(), Ok(b"old".to_vec()));
        assert_eq!(house.replace(b"new"), no_file(Errno::ELOOP));

        std::fs::remove_file(house.home(".ssh")).unwrap();
        house.make_ssh();
        symlink("../../../elsewhere/authorized_keys", house.home(".ssh/authorized_keys")).unwrap();
        assert_eq!(house.read(), Ok(b"old".to_vec()));
        assert_eq!(house.replace(b"new"), no_file(Errno::ELOOP));
        assert_eq!(std::fs::read(elsewhere.join("authorized_keys")).unwrap(), b"old");

        symlink("../../../elsewhere/draft", house.home(".ssh/.authorized_keys.bulkhead")).unwrap();
        std::fs::remove_file(house.home(".ssh/authorized_keys")).unwrap();
        assert_eq!(house.replace(b"new"), Ok(()), "a link in the draft's place is removed");
        assert_eq!(names(&elsewhere), ["authorized_keys"]);
    }

    #[test]
    fn only_a_file_is_a_file() {
        let Some(house) = House::new() else { return };
        std::fs::write(house.home(".ssh"), "").unwrap();
        assert_eq!(house.read(), not_read(Errno::ENOTDIR));
        assert_eq!(house.replace(b"new"), no_folder(Errno::EEXIST));
        std::fs::remove_file(house.home(".ssh")).unwrap();
        house.make_ssh();
        let keys = house.home(".ssh/authorized_keys");
        std::fs::create_dir(&keys).unwrap();
        assert_eq!(house.read(), not_read(Errno::EISDIR));
        assert_eq!(house.replace(b"new"), no_file(Errno::EISDIR));
        std::fs::remove_dir(&keys).unwrap();
        nix::unistd::mkfifo(&keys, Mode::from_bits_truncate(0o666)).unwrap();
        house.give(".ssh/authorized_keys");
        assert_eq!(house.read(), not_read(Errno::EINVAL), "and nobody waits at a FIFO");
        assert_eq!(house.replace(b"new"), no_file(Errno::EINVAL));
    }

    /// The user exchanges `.ssh` and a link to another folder of theirs, for as long as the agent works.
    #[test]
    fn a_folder_exchanged_in_the_middle_leads_nowhere() {
        let Some(house) = House::new() else { return };
        let decoy = house.scratch.folder("decoy");
        chown(&decoy, Some(54_321), Some(54_322)).unwrap();
        house.make_ssh();
        symlink("../../decoy", house.home("trap")).unwrap();
        let (home, over) = (File::open(house.home("")).unwrap(), AtomicBool::new(false));
        let mut outcomes = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    renameat2(&home, ".ssh", &home, "trap", RenameFlags::RENAME_EXCHANGE).unwrap();
                }
            });
            outcomes = (0..500).map(|_| (house.replace(b"new"), house.read())).collect();
            over.store(true, Ordering::Relaxed);
        });
        assert_eq!(names(&decoy), [""; 0]);
        let replaced = [Ok(()), no_file(Errno::ELOOP), no_folder(Errno::EEXIST)];
        // The decoy is empty, and so is the folder before its first file.
        let read = [Errno::ENOENT].map(not_read);
        for outcome in outcomes {
            assert!(replaced.contains(&outcome.0), "{outcome:?}");
            assert!(outcome.1 == Ok(b"new".to_vec()) || read.contains(&outcome.1), "{outcome:?}");
        }
    }
}
