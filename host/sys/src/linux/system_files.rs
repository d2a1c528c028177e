//! Files in which the system tells of itself. Those of the kernel (/proc, /sys) are read as they are; others may be links to
//! anywhere.

use super::files::{BY_LINKS, Object, PATIENCE, link_to, look_up};
use super::{Linux, errno, lookup, patience};
use crate::{Held, ObjectKind, SystemFiles};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, ResolveFlag, open, readlink, readlinkat};
use nix::sys::stat::Mode;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The tree of all that is not the kernel's own.
const ROOT: &[u8] = b"/";

/// For reading, whatever it is by then, without waiting for the other end of a FIFO.
const READING: OFlag = OFlag::O_RDONLY.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

/// How much is read first, in bytes. Nearly all of these files are shorter; and some of the kernel's change between two reads.
const FIRST_READ: usize = 8192;

/// How long a name in a folder is on average, in bytes, at the most. Those of the kernel have ten; all that are allowed, of 255
/// bytes each, would be more than a module can hold.
const NAME: usize = 32;

impl SystemFiles for Linux {
    fn read_system_file(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<u8>, Errno> {
        if tree != ROOT {
            return read_below(tree, path, limit);
        }
        let whole = [ROOT, path].concat();
        let theirs = whole.clone();
        let found = look_up(("look", whole), move |look| {
            Object::find(look, AT_FDCWD, &theirs, BY_LINKS).map(|found| (look.hold(found.descriptor), found.facts.kind))
        });
        match found {
            Ok((_, kind)) if kind != ObjectKind::File => Err(Errno::EINVAL),
            Ok((Held::Ours(file), _)) => read_open(open(link_to(&file).as_str(), READING, Mode::empty())?, limit),
            Ok((Held::Theirs(_), _)) => {
                let theirs = path.to_vec();
                patience::ask(("read", path.to_vec()), PATIENCE, move || read_below(ROOT, &theirs, limit))
            }
            Err(errno) => Err(errno),
        }
    }

    fn system_entries(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, Errno> {
        let folder = Dir::from_fd(open_below(tree, path, OFlag::O_RDONLY | OFlag::O_DIRECTORY)?)?;
        let (mut names, mut text) = (Vec::new(), 0);
        for entry in folder {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            text += name.len();
            if names.len() == limit || text > limit * NAME {
                return Err(Errno::EOVERFLOW);
            }
            names.push(name.to_vec());
        }
        Ok(names)
    }

    fn resolve_link(&self, tree: &[u8], path: &[u8]) -> Result<Vec<u8>, Errno> {
        let link = open_below(tree, path, OFlag::O_PATH | OFlag::O_NOFOLLOW)?;
        // readlink(2): what is no link has none.
        if readlinkat(&link, "").err() == Some(Errno::ENOENT) {
            return Err(Errno::EINVAL);
        }
        // The kernel knows where it has come to, even if that is outside of the tree. Asking for one name after the other, as
        // realpath(3) does, is a call for each.
        let tree = Path::new(OsStr::from_bytes(tree));
        let path = tree.join(OsStr::from_bytes(path));
        let end = open(&path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
        let target = match readlink(link_to(&end).as_str()) {
            Ok(target) => PathBuf::from(target),
            // There is no /proc, or it is not this process's.
            Err(_) => path.canonicalize().map_err(errno)?,
        };
        if target.starts_with(tree) { Ok(target.into_os_string().into_vec()) } else { Err(Errno::EXDEV) }
    }
}

fn read_below(tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<u8>, Errno> {
    read_open(open_below(tree, path, OFlag::O_RDONLY)?, limit)
}

fn read_open(file: OwnedFd, limit: usize) -> Result<Vec<u8>, Errno> {
    let file = File::from(file);
    if !file.metadata().map_err(errno)?.is_file() {
        return Err(Errno::EINVAL);
    }
    let mut bytes = Vec::with_capacity(FIRST_READ);
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(errno)?;
    if bytes.len() > limit { Err(Errno::EOVERFLOW) } else { Ok(bytes) }
}

/// Opens without blocking what is at `path` below `tree`. Links in the tree `/` lead where they lead; those of another tree may
/// not leave it. Links that are not text but a process's open file (proc_pid_fd(5)) lead nowhere.
fn open_below(tree: &[u8], path: &[u8], flags: OFlag) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    // O_PATH goes with few other flags, and openat2(2) insists; such a descriptor opens nothing that could block.
    let flags = if flags.contains(OFlag::O_PATH) { flags - OFlag::O_NONBLOCK - OFlag::O_NOCTTY } else { flags };
    let anywhere = ResolveFlag::RESOLVE_NO_MAGICLINKS;
    if tree == ROOT {
        return lookup::open(AT_FDCWD, &[b"/", path].concat(), flags, anywhere);
    }
    let folder = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let at = open(OsStr::from_bytes(tree), folder, Mode::empty())?;
    lookup::open(at, path, flags, anywhere | ResolveFlag::RESOLVE_BENEATH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::mkfifo;
    use std::os::unix::fs::symlink;

    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("bulkhead-sys-{name}-{}", std::process::id()));
            std::fs::create_dir_all(folder.join("tree/a")).unwrap();
            std::fs::write(folder.join("tree/a/file"), "text").unwrap();
            std::fs::write(folder.join("outside"), "secret").unwrap();
            Tree(folder)
        }

        fn tree(&self) -> Vec<u8> {
            self.0.join("tree").into_os_string().into_vec()
        }

        fn link(&self, target: &str, name: &str) {
            symlink(target, self.0.join("tree").join(name)).unwrap();
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let it = Tree::new("read");
        assert_eq!(Linux.read_system_file(&it.tree(), b"a/file", 4), Ok(b"text".to_vec()));
        assert_eq!(Linux.read_system_file(&it.tree(), b"a/file", 3), Err(Errno::EOVERFLOW));
        assert_eq!(Linux.read_system_file(&it.tree(), b"a/absent", 3), Err(Errno::ENOENT));
        assert!(Linux.read_system_file(b"/proc", b"loadavg", 100).unwrap().ends_with(b"\n"));
    }

    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        let it = Tree::new("fifo");
        mkfifo(&it.0.join("tree/fifo"), Mode::from_bits_truncate(0o600)).unwrap();
        assert_eq!(Linux.read_system_file(&it.tree(), b"fifo", 100), Err(Errno::EINVAL));
        assert_eq!(Linux.read_system_file(&it.tree(), b"a", 100), Err(Errno::EINVAL));
        assert_eq!(Linux.read_system_file(b"/", b"dev/null", 100), Err(Errno::EINVAL));
    }

    #[test]
    fn links_do_not_leave_a_tree() {
        let it = Tree::new("links");
        it.link("a/file", "inside");
        it.link("../outside", "above");
        it.link("/etc/hostname", "absolute");
        assert_eq!(Linux.read_system_file(&it.tree(), b"inside", 100), Ok(b"text".to_vec()));
        assert_eq!(Linux.read_system_file(&it.tree(), b"above", 100), Err(Errno::EXDEV));
        assert_eq!(Linux.read_system_file(&it.tree(), b"absolute", 100), Err(Errno::EXDEV));
        assert_eq!(Linux.read_system_file(&it.tree(), b"../outside", 100), Err(Errno::EXDEV));
    }

    #[test]
    fn links_lead_anywhere_below_the_root_but_into_a_process() {
        let it = Tree::new("root");
        it.link("../outside", "above");
        let path = [&it.tree()[1..], b"/above"].concat();
        assert_eq!(Linux.read_system_file(b"/", &path, 100), Ok(b"secret".to_vec()));
        let open = File::open(it.0.join("outside")).unwrap();
        let descriptor = format!("proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&open));
        assert_eq!(Linux.read_system_file(b"/", descriptor.as_bytes(), 100), Err(Errno::ELOOP));
    }

    #[test]
    fn the_names_in_a_folder_are_its_own() {
        let it = Tree::new("entries");
        it.link("file", "a/link");
        let mut names = Linux.system_entries(&it.tree(), b"a", 2).unwrap();
        names.sort();
        assert_eq!(names, [b"file".to_vec(), b"link".to_vec()]);
        assert_eq!(Linux.system_entries(&it.tree(), b"a", 1), Err(Errno::EOVERFLOW));
        std::fs::write(it.0.join("tree/a").join("x".repeat(3 * NAME)), "").unwrap();
        assert_eq!(Linux.system_entries(&it.tree(), b"a", 3).err(), Some(Errno::EOVERFLOW));
        assert_eq!(Linux.system_entries(&it.tree(), b"a", 4).map(|names| names.len()), Ok(3));
        assert_eq!(Linux.system_entries(&it.tree(), b"a/file", 2), Err(Errno::ENOTDIR));
    }

    #[test]
    fn a_link_is_resolved_to_its_end() {
        let it = Tree::new("resolve");
        it.link("second", "first");
        it.link("a/file", "second");
        it.link("../outside", "above");
        it.link("nowhere", "dangling");
        assert_eq!(Linux.resolve_link(&it.tree(), b"first"), Ok([&it.tree(), b"/a/file".as_slice()].concat()));
        assert_eq!(Linux.resolve_link(&it.tree(), b"a/file"), Err(Errno::EINVAL));
        assert_eq!(Linux.resolve_link(&it.tree(), b"above"), Err(Errno::EXDEV));
        assert_eq!(Linux.resolve_link(&it.tree(), b"dangling"), Err(Errno::ENOENT));
    }
}
