//! Opening files: by their path, or as the things that were found and judged.

mod locate;
mod object;
mod trees;

pub(super) use locate::locate;

use crate::{Found, Located, OpenFlags};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::{Mode, fchmod};
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

/// See [`crate::System::open_file`]. A new file is made with no permissions at all and gets them when it is surely
/// new: so nobody can open it in between, and an existing file is never touched.
pub(super) fn open_file(path: &[u8], flags: OpenFlags) -> Result<File, Errno> {
    let path = OsStr::from_bytes(path);
    let common = open_flags(flags);
    let opened = if flags.create {
        match open(path, common | OFlag::O_CREAT | OFlag::O_EXCL, Mode::empty()) {
            Ok(made) => make_accessible(made),
            Err(Errno::EEXIST) => open(path, common, Mode::empty()),
            Err(error) => Err(error),
        }
    } else {
        open(path, common, Mode::empty())
    };
    opened.map(File::from)
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

/// See [`crate::System::open_located`]. A descriptor of what was found is another way to it, so no path is looked up again.
pub(super) fn open_located(located: &Located, flags: OpenFlags) -> Result<File, Errno> {
    match &located.found {
        Found::Object(object) => {
            open(object::link_to(object).as_str(), open_flags(flags), Mode::empty()).map(File::from)
        }
        Found::Place { folder, name } if flags.create => {
            let how = open_flags(flags) | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW;
            match openat(folder, OsStr::from_bytes(name), how, Mode::empty()) {
                Ok(made) => make_accessible(made).map(File::from),
                Err(Errno::EEXIST) => Err(Errno::EAGAIN),
                Err(errno) => Err(errno),
            }
        }
        Found::Place { .. } => Err(Errno::ENOENT),
        Found::Nothing(errno) => Err(*errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};
    use std::io::{Read, Write};
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
        let mode = |file: &File| file.metadata().unwrap().permissions().mode() & 0o777;
        let located = |name: &str| locate(scratch.text(name).as_bytes(), &[]).unwrap();
        for (name, open) in [
            ("f", &(|| open_file(scratch.text("f").as_bytes(), WRITE)) as &dyn Fn() -> _),
            ("g", &|| open_located(&located("g"), WRITE)),
        ] {
            assert_eq!(mode(&open().unwrap()), 0o666);
            std::fs::set_permissions(scratch.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
            assert_eq!(mode(&open().unwrap()), 0o600);
        }
    }

    #[test]
    fn children_do_not_inherit_it_and_it_does_not_block() {
        let located = locate(b"/dev/null", &[]).unwrap();
        for file in [open_file(b"/dev/null", READ), open_located(&located, READ)] {
            let file = file.unwrap();
            assert_eq!(fcntl(&file, FcntlArg::F_GETFD).unwrap() & FdFlag::FD_CLOEXEC.bits(), FdFlag::FD_CLOEXEC.bits());
            assert_ne!(fcntl(&file, FcntlArg::F_GETFL).unwrap() & OFlag::O_NONBLOCK.bits(), 0);
        }
    }

    #[test]
    fn a_path_with_a_nul_is_invalid() {
        assert_eq!(open_file(b"/dev/null\0", WRITE).err(), Some(Errno::EINVAL));
    }

    #[test]
    fn what_was_found_is_opened_whatever_took_its_place() {
        let scratch = Scratch::new();
        scratch.write("f", "judged");
        scratch.write("secret", "secret");
        let located = locate(scratch.text("f").as_bytes(), &[]).unwrap();
        std::fs::rename(scratch.path("f"), scratch.path("moved")).unwrap();
        symlink("secret", scratch.path("f")).unwrap();
        let mut text = String::new();
        open_located(&located, READ).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "judged");
        open_located(&located, OpenFlags { truncate: true, ..WRITE }).unwrap().write_all(b"new").unwrap();
        assert_eq!((scratch.read("moved").as_str(), scratch.read("secret").as_str()), ("new", "secret"));
    }

    #[test]
    fn what_was_missing_is_made_where_it_was_missing_or_not_at_all() {
        let scratch = Scratch::new();
        scratch.folder("folder");
        scratch.folder("other");
        let missing = || locate(scratch.text("folder/f").as_bytes(), &[]).unwrap();
        assert_eq!(open_located(&missing(), READ).err(), Some(Errno::ENOENT));
        let before = missing();
        symlink("../other/f", scratch.path("folder/f")).unwrap();
        assert_eq!(open_located(&before, WRITE).err(), Some(Errno::EAGAIN), "a link came in between");
        assert!(!scratch.path("other/f").exists());
        std::fs::remove_file(scratch.path("folder/f")).unwrap();
        let before = missing();
        std::fs::rename(scratch.path("folder"), scratch.path("moved")).unwrap();
        symlink("other", scratch.path("folder")).unwrap();
        open_located(&before, WRITE).unwrap();
        assert!(scratch.path("moved/f").exists() && !scratch.path("other/f").exists());
        let folder = locate(scratch.text("moved/new/").as_bytes(), &[]).unwrap();
        assert_eq!(open_located(&folder, WRITE).err(), Some(Errno::EISDIR));
    }
}
