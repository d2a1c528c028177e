//! Opening files.

use crate::OpenFlags;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
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

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};
    use std::os::unix::fs::PermissionsExt;

    const WRITE: OpenFlags = OpenFlags { read: false, write: true, append: false, create: true, truncate: false };

    #[test]
    fn a_new_file_is_for_all_and_an_old_one_keeps_its_mode() {
        let folder = std::env::temp_dir().join(format!("bulkhead-sys-files-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("f");
        let open = || open_file(path.as_os_str().as_bytes(), WRITE).unwrap();
        assert_eq!(open().metadata().unwrap().permissions().mode() & 0o777, 0o666);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(open().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn children_do_not_inherit_it_and_it_does_not_block() {
        let file = open_file(b"/dev/null", OpenFlags { read: true, ..OpenFlags::default() }).unwrap();
        assert_eq!(fcntl(&file, FcntlArg::F_GETFD).unwrap() & FdFlag::FD_CLOEXEC.bits(), FdFlag::FD_CLOEXEC.bits());
        assert_ne!(fcntl(&file, FcntlArg::F_GETFL).unwrap() & OFlag::O_NONBLOCK.bits(), 0);
    }

    #[test]
    fn a_path_with_a_nul_is_invalid() {
        assert_eq!(open_file(b"/dev/null\0", WRITE).err(), Some(Errno::EINVAL));
    }
}
