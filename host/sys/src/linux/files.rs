//! Opening files: by their path, or as the things that were found and judged.
//!
//! What is on a file system of the machine itself is opened, read and written by the thread that asks; the rest by threads that
//! may wait for ever (docs/decisions/0032-what-may-hang.md).

mod local;
mod locate;
mod object;
mod opened;
mod trees;

pub(super) use local::{Look, is_local, look_up};
pub(super) use object::{BY_LINKS, Facts, Object, STRAIGHT, as_before_statx, link_to};
pub use opened::OpenFile;

use super::Linux;
use super::patience::{self, Held, Kept, Question};
use super::processes::leaves_room;
use crate::{Files, Found, Located, OpenFlags};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, open, openat};
use nix::sys::stat::{Mode, fchmod};
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Duration;

/// How long looking a path up, opening, reading or writing may take where it could take for ever. It bounds what a server that
/// is gone, or a user who answers for a file system, can make every client wait; those that work take milliseconds. Clients give
/// up after five seconds or ten.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

impl Files for Linux {
    fn open_file(&self, path: &[u8], flags: OpenFlags) -> Result<OpenFile, Errno> {
        if let Some(opened) = open_at_once(path, flags) {
            return opened;
        }
        let theirs = path.to_vec();
        open_patiently(("open", path.to_vec()), move || open_by_path(&theirs, flags))
    }

    fn locate(&self, path: &[u8], trees: &[&str]) -> Result<Located, Errno> {
        locate::locate(path, trees)
    }

    /// A descriptor of what was found is another way to it, so no path is looked up again.
    fn open_located(&self, located: &Located, flags: OpenFlags) -> Result<OpenFile, Errno> {
        let (held, name) = match &located.found {
            Found::Object(object) => (object, None),
            Found::Place { folder, name } if flags.create => (folder, Some(name)),
            Found::Place { .. } => return Err(Errno::ENOENT),
            Found::Nothing(errno) => return Err(*errno),
        };
        let kept = match held {
            // What is made is a regular file.
            Held::Ours(at) if located.is_plain || name.is_some() => {
                return open_held(at.as_fd(), name, flags).map(|file| File::from(file).into());
            }
            Held::Ours(at) => patience::give(&[at.as_fd()])?.pop().map(Arc::new).ok_or(Errno::EMFILE)?,
            Held::Theirs(kept) => Arc::clone(kept),
        };
        let name = name.cloned();
        let question = ("open", [&located.path, b"\0".as_slice(), name.as_deref().unwrap_or_default()].concat());
        open_patiently(question, move || open_held(kept.here(), name.as_ref(), flags))
    }
}

/// Opens what is there, the thing itself, which was found, or makes what is not; if nothing has to be waited for.
fn open_at_once(path: &[u8], flags: OpenFlags) -> Option<Result<OpenFile, Errno>> {
    let look = Look::at_once();
    let found = Object::find(&look, AT_FDCWD, path, BY_LINKS);
    let (held, name) = match found {
        Ok(object) if object.is_plain => (object, None),
        // A link that leads nowhere is there nevertheless, and is not made anew.
        Err(Errno::ENOENT) if flags.create => {
            let (folder, name) = split(path);
            (Object::find(&look, AT_FDCWD, folder, BY_LINKS).ok()?, Some(name.to_vec()))
        }
        _ => return None,
    };
    if !look.counts() {
        return None;
    }
    match open_held(held.descriptor.as_fd(), name.as_ref(), flags) {
        // It is there by now; or there is no /proc.
        Err(Errno::EAGAIN | Errno::ENOENT) => None,
        opened => Some(opened.map(|file| File::from(file).into())),
    }
}

/// The folder and the name of a path, with the slashes that follow the name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    match path[..end].iter().rposition(|byte| *byte == b'/') {
        Some(slash) => path.split_at(slash + 1),
        None => (b".", path),
    }
}

/// A new file is made with no permissions at all and gets them when it is surely new: so nobody can open it in between, and an
/// existing file is never touched.
fn open_by_path(path: &[u8], flags: OpenFlags) -> Result<OwnedFd, Errno> {
    let path = OsStr::from_bytes(path);
    let common = open_flags(flags);
    if !flags.create {
        return open(path, common, Mode::empty());
    }
    match open(path, common | OFlag::O_CREAT | OFlag::O_EXCL, Mode::empty()) {
        Ok(made) => make_accessible(made),
        Err(Errno::EEXIST) => open(path, common, Mode::empty()),
        Err(error) => Err(error),
    }
}

fn make_accessible(file: OwnedFd) -> Result<OwnedFd, Errno> {
    fchmod(&file, Mode::from_bits_truncate(0o666))?;
    Ok(file)
}

fn open_flags(flags: OpenFlags) -> OFlag {
    let access = match (flags.read, flags.write) {
        (true, true) => OFlag::O_RDWR,
        (false, true) => OFlag::O_WRONLY,
        (_, false) => OFlag::O_RDONLY,
    };
    let mut all = access | OFlag::O_CLOEXEC | OFlag::O_NOCTTY | OFlag::O_NONBLOCK;
    all.set(OFlag::O_APPEND, flags.append);
    all.set(OFlag::O_TRUNC, flags.truncate);
    all
}

/// Whether what is open can be read, written and closed without waiting for anybody.
fn is_quick(file: &OwnedFd) -> Result<bool, Errno> {
    let facts = Facts::of(&Look::patiently(), file)?;
    Ok(facts.is_plain && is_local(facts.mount))
}

/// Opens something by a thread that may wait, unless too many that were opened so cannot be closed. One that stays in that table
/// leaves room there for what the agent does besides.
fn open_patiently(
    question: Question,
    open: impl FnOnce() -> Result<OwnedFd, Errno> + Send + 'static,
) -> Result<OpenFile, Errno> {
    patience::FILES.room()?;
    let (kept, is_quick) = patience::ask(question, PATIENCE, move || {
        let file = open()?;
        let is_quick = is_quick(&file)?;
        if !is_quick && !leaves_room(file.as_raw_fd())? {
            return Err(Errno::EMFILE);
        }
        Ok((Kept::new(file), is_quick))
    })?;
    if is_quick { kept.take().map(|file| File::from(file).into()) } else { Ok(kept.into()) }
}

/// Opens what is held, or makes what is missing in the folder that is.
fn open_held(at: BorrowedFd<'_>, name: Option<&Vec<u8>>, flags: OpenFlags) -> Result<OwnedFd, Errno> {
    let Some(name) = name else { return open(link_to(at).as_str(), open_flags(flags), Mode::empty()) };
    let how = open_flags(flags) | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW;
    match openat(at, OsStr::from_bytes(name), how, Mode::empty()) {
        Ok(made) => make_accessible(made),
        Err(Errno::EEXIST) => Err(Errno::EAGAIN),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    const READ: OpenFlags = OpenFlags { read: true, write: false, append: false, create: false, truncate: false };
    const WRITE: OpenFlags = OpenFlags { read: false, write: true, append: false, create: true, truncate: false };

    /// A folder of one test, named without links.
    pub(super) struct Scratch(PathBuf);

    impl Scratch {
        pub(super) fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let unique = format!("bulkhead-files-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().canonicalize().unwrap().join(unique);
            std::fs::create_dir(&path).unwrap();
            Scratch(path)
        }

        pub(super) fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }

        /// The path as a client would write it, not made plain.
        pub(super) fn text(&self, name: &str) -> String {
            format!("{}/{name}", self.0.display())
        }

        pub(super) fn bytes(&self) -> &[u8] {
            self.0.as_os_str().as_bytes()
        }

        pub(super) fn folder(&self, name: &str) -> PathBuf {
            std::fs::create_dir_all(self.path(name)).unwrap();
            self.path(name)
        }

        pub(super) fn write(&self, name: &str, text: &str) {
            std::fs::write(self.path(name), text).unwrap();
        }

        pub(super) fn read(&self, name: &str) -> String {
            std::fs::read_to_string(self.path(name)).unwrap()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_new_file_is_for_all_and_an_old_one_keeps_its_mode() {
        let scratch = Scratch::new();
        let mode = |file: &OpenFile| nix::sys::stat::fstat(file.here()).unwrap().st_mode & 0o777;
        let located = |name: &str| Linux.locate(scratch.text(name).as_bytes(), &[]).unwrap();
        for (name, open) in [
            ("f", &(|| Linux.open_file(scratch.text("f").as_bytes(), WRITE)) as &dyn Fn() -> _),
            ("g", &|| Linux.open_located(&located("g"), WRITE)),
        ] {
            assert_eq!(mode(&open().unwrap()), 0o666);
            std::fs::set_permissions(scratch.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
            assert_eq!(mode(&open().unwrap()), 0o600);
        }
    }

    #[test]
    fn children_do_not_inherit_it_and_it_does_not_block() {
        let located = Linux.locate(b"/dev/null", &[]).unwrap();
        for file in [Linux.open_file(b"/dev/null", READ), Linux.open_located(&located, READ)] {
            let opened = file.unwrap();
            let file = opened.here();
            assert_eq!(fcntl(file, FcntlArg::F_GETFD).unwrap() & FdFlag::FD_CLOEXEC.bits(), FdFlag::FD_CLOEXEC.bits());
            assert_ne!(fcntl(file, FcntlArg::F_GETFL).unwrap() & OFlag::O_NONBLOCK.bits(), 0);
        }
    }

    #[test]
    fn a_path_with_a_nul_is_invalid() {
        assert_eq!(Linux.open_file(b"/dev/null\0", WRITE).err(), Some(Errno::EINVAL));
    }

    #[test]
    fn what_was_found_is_opened_whatever_took_its_place() {
        let scratch = Scratch::new();
        scratch.write("f", "judged");
        scratch.write("secret", "secret");
        let located = Linux.locate(scratch.text("f").as_bytes(), &[]).unwrap();
        std::fs::rename(scratch.path("f"), scratch.path("moved")).unwrap();
        symlink("secret", scratch.path("f")).unwrap();
        let mut text = Vec::new();
        Linux.open_located(&located, READ).unwrap().read_more(&mut text, 100).unwrap();
        assert_eq!(text, b"judged");
        Linux.open_located(&located, OpenFlags { truncate: true, ..WRITE }).unwrap().write_all(b"new").unwrap();
        assert_eq!((scratch.read("moved").as_str(), scratch.read("secret").as_str()), ("new", "secret"));
    }

    #[test]
    fn what_was_missing_is_made_where_it_was_missing_or_not_at_all() {
        let scratch = Scratch::new();
        scratch.folder("folder");
        scratch.folder("other");
        let missing = || Linux.locate(scratch.text("folder/f").as_bytes(), &[]).unwrap();
        assert_eq!(Linux.open_located(&missing(), READ).err(), Some(Errno::ENOENT));
        let before = missing();
        symlink("../other/f", scratch.path("folder/f")).unwrap();
        assert_eq!(Linux.open_located(&before, WRITE).err(), Some(Errno::EAGAIN), "a link came in between");
        assert!(!scratch.path("other/f").exists());
        std::fs::remove_file(scratch.path("folder/f")).unwrap();
        let before = missing();
        std::fs::rename(scratch.path("folder"), scratch.path("moved")).unwrap();
        symlink("other", scratch.path("folder")).unwrap();
        Linux.open_located(&before, WRITE).unwrap();
        assert!(scratch.path("moved/f").exists() && !scratch.path("other/f").exists());
        let folder = Linux.locate(scratch.text("moved/new/").as_bytes(), &[]).unwrap();
        assert_eq!(Linux.open_located(&folder, WRITE).err(), Some(Errno::EISDIR));
    }
}
