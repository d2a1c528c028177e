//! The way to a user's `.ssh`: from folder to folder, by descriptors, so that nothing on it can be exchanged between a
//! look and a step.

use crate::linux::lookup;
use nix::errno::Errno;
use nix::fcntl::{OFlag, ResolveFlag, open, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, mkdirat};
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

/// How many symbolic links may be on the way: as many as the kernel itself follows. It bounds two that point at each
/// other.
const LINKS: usize = 40;

/// For going through a folder, or looking at what is there. A folder on a server that is mounted at need is mounted, for it
/// is opened as a folder.
const PASS: OFlag = OFlag::O_PATH.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// Opens the root folder.
pub(super) fn root() -> Result<OwnedFd, Errno> {
    open("/", PASS | OFlag::O_DIRECTORY, Mode::empty())
}

/// Goes from `root` to the home folder.
///
/// A symbolic link is followed if it is root's, and if nobody but root can have put it where it is: distributions have
/// `/home` or `/root` lead below `/var`. Any other is `ELOOP`.
pub(super) fn home(root: &OwnedFd, path: &[u8]) -> Result<OwnedFd, Errno> {
    if !path.starts_with(b"/") {
        return Err(Errno::ENOENT);
    }
    let mut place = root.try_clone().map_err(|_| Errno::EMFILE)?;
    let mut is_roots = only_root_writes(&fstat(&place)?);
    let mut links = 0;
    let mut ahead: Vec<Vec<u8>> = Vec::new();
    push(&mut ahead, path);
    while let Some(name) = ahead.pop() {
        match enter(&place, &name)? {
            Found::Folder(folder) => {
                // From the root to here: who can rename a folder on the way chooses what is in it.
                is_roots = is_roots && only_root_writes(&fstat(&folder)?);
                place = folder;
            }
            Found::Link(link) => {
                links += 1;
                if !is_roots || fstat(&link)?.st_uid != 0 || links > LINKS {
                    return Err(Errno::ELOOP);
                }
                let target = readlinkat(&link, "")?;
                if target.as_bytes().starts_with(b"/") {
                    place = root.try_clone().map_err(|_| Errno::EMFILE)?;
                    is_roots = only_root_writes(&fstat(&place)?);
                }
                push(&mut ahead, target.as_bytes());
            }
        }
    }
    Ok(place)
}

/// What `.ssh/NAME` in the home folder leads to, wherever that is. For reading, with the user's rights: a link of theirs leads
/// where they may go themselves. Not into a process, though: to the agent's own, links of /proc would open what is the agent's.
pub(super) fn below_ssh(home: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    let how = ResolveFlag::RESOLVE_NO_MAGICLINKS;
    lookup::open(home, format!(".ssh/{name}").as_bytes(), OFlag::O_PATH | OFlag::O_CLOEXEC, how)
}

/// Goes from the home folder to `.ssh`, which must be no link.
pub(super) fn ssh(home: &OwnedFd) -> Result<OwnedFd, Errno> {
    match enter(home, b".ssh")? {
        Found::Folder(folder) => Ok(folder),
        Found::Link(_) => Err(Errno::ELOOP),
    }
}

/// Makes `.ssh` if it is missing. What else is there under that name stays as it is.
pub(super) fn make_ssh(home: &OwnedFd) -> Result<(), Errno> {
    match mkdirat(home, ".ssh", Mode::S_IRWXU) {
        Ok(()) | Err(Errno::EEXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Whether this is a folder or a file of a kind; the other bits of a mode are not looked at.
pub(super) fn is_a(kind: SFlag, found: &FileStat) -> bool {
    found.st_mode & SFlag::S_IFMT.bits() == kind.bits()
}

enum Found {
    Folder(OwnedFd),
    Link(OwnedFd),
}

fn enter(place: &OwnedFd, name: &[u8]) -> Result<Found, Errno> {
    let name = OsStr::from_bytes(name);
    match openat(place, name, PASS | OFlag::O_DIRECTORY, Mode::empty()) {
        Ok(folder) => Ok(Found::Folder(folder)),
        Err(Errno::ENOTDIR | Errno::ELOOP) => {
            let other = openat(place, name, PASS, Mode::empty())?;
            if is_a(SFlag::S_IFLNK, &fstat(&other)?) { Ok(Found::Link(other)) } else { Err(Errno::ENOTDIR) }
        }
        Err(errno) => Err(errno),
    }
}

/// Puts the steps of `path` before those that are ahead; the next one is the last of the list.
fn push(ahead: &mut Vec<Vec<u8>>, path: &[u8]) {
    let steps = path.split(|byte| *byte == b'/').filter(|step| !step.is_empty() && *step != b".");
    ahead.extend(steps.rev().map(<[u8]>::to_vec));
}

/// Group and others have no right to write; with an access control list, their bits show the most it grants.
fn only_root_writes(found: &FileStat) -> bool {
    found.st_uid == 0 && found.st_mode & (Mode::S_IWGRP | Mode::S_IWOTH).bits() == 0
}

#[cfg(test)]
mod tests {
    use super::super::rights::tests::somebody;
    use super::super::tests::Scratch;
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
    use std::path::Path;

    /// What is at the end of the way in a root that has `/home/alice`.
    fn found(scratch: &Scratch, path: &str) -> Result<u64, Errno> {
        let root = open(&scratch.0, PASS, Mode::empty())?;
        fstat(home(&root, path.as_bytes())?).map(|found| found.st_ino)
    }

    fn number(path: &Path) -> Result<u64, Errno> {
        Ok(std::fs::metadata(path).unwrap().ino())
    }

    #[test]
    fn a_home_is_found_from_folder_to_folder() {
        let scratch = Scratch::new();
        let alice = scratch.folder("home/alice");
        for path in ["/home/alice", "//home/./alice//", "/home/../home/alice"] {
            assert_eq!(found(&scratch, path), number(&alice), "{path}");
        }
        assert_eq!(found(&scratch, "/"), number(&scratch.0));
        for path in ["", "home/alice", "/home/bob", "/nonexistent/alice"] {
            assert_eq!(found(&scratch, path), Err(Errno::ENOENT), "{path}");
        }
        std::fs::write(scratch.0.join("file"), "").unwrap();
        assert_eq!(found(&scratch, "/file/alice"), Err(Errno::ENOTDIR));
    }

    #[test]
    fn roots_own_links_are_followed() {
        let scratch = Scratch::new();
        // Here everything is this process's, which only root's is root's.
        if somebody(&scratch.0).is_none() {
            return;
        }
        let alice = scratch.folder("var/home/alice");
        let root = scratch.folder("var/roothome");
        symlink("var/home", scratch.0.join("home")).unwrap();
        symlink("/home/../roothome", scratch.0.join("root")).unwrap();
        assert_eq!(found(&scratch, "/home/alice"), number(&alice));
        assert_eq!(found(&scratch, "/root"), number(&root), "an absolute link begins at the root again");
        symlink("two", scratch.0.join("one")).unwrap();
        symlink("one", scratch.0.join("two")).unwrap();
        assert_eq!(found(&scratch, "/one/alice"), Err(Errno::ELOOP));
    }

    #[test]
    fn a_link_that_somebody_else_can_have_made_is_refused() {
        let scratch = Scratch::new();
        let Some(other) = somebody(&scratch.0) else { return };
        scratch.folder("etc");
        let homes = scratch.folder("home");
        let link = homes.join("alice");
        symlink("/etc", &link).unwrap();
        lchown(&link, Some(other.uid.as_raw()), None).unwrap();
        assert_eq!(found(&scratch, "/home/alice"), Err(Errno::ELOOP), "it is theirs");

        lchown(&link, Some(0), None).unwrap();
        assert_eq!(found(&scratch, "/home/alice"), number(&scratch.0.join("etc")), "it is root's");
        for mode in [0o775, 0o757, 0o1777] {
            std::fs::set_permissions(&homes, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(found(&scratch, "/home/alice"), Err(Errno::ELOOP), "{mode:o}: they can have moved it there");
        }
        std::fs::set_permissions(&homes, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::chown(&scratch.0, Some(other.uid.as_raw()), None).unwrap();
        assert_eq!(found(&scratch, "/home/alice"), Err(Errno::ELOOP), "they can exchange the folder it is in");
    }
}
