//! Whether several names are those of one thing.

use super::files::as_before_statx;
use super::{Linux, accounts, patience};
use crate::{Held, KeysError, LocatedProgram, Names, Thing};
use nix::errno::Errno;
use nix::libc;
use nix::sys::stat::{FileStat, fstat, stat};
use std::ffi::CString;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

/// How long a path that the owner names may take to be looked at. A local one takes microseconds; one on a server that is gone
/// takes for ever, and then counts as a name of every program.
const PATIENCE: Duration = Duration::from_secs(2);

impl Names for Linux {
    fn same(&self, thing: Thing<'_>, names: &[&str]) -> Vec<usize> {
        let chosen = |is_same: &dyn Fn(&str) -> bool| (0..names.len()).filter(|it| is_same(names[*it])).collect();
        match thing {
            Thing::Program(_) if names.is_empty() => Vec::new(),
            Thing::Program(program) => {
                let own = status_of(program);
                chosen(&|name| is_program(own.as_ref(), name))
            }
            Thing::User(user) => chosen(&|name| is_user(user, name)),
            Thing::MountPoint(path) => chosen(&|name| is_mounted(path, name)),
        }
    }
}

/// What file a program is. One whose file system may not answer is asked by who can wait.
fn status_of(program: &LocatedProgram) -> Result<FileStat, Errno> {
    match &program.file {
        Held::Ours(file) => fstat(file),
        Held::Theirs(kept) => {
            let kept = Arc::clone(kept);
            patience::ask(("name", program.path.clone()), PATIENCE, move || fstat(kept.here()))
        }
    }
}

fn is_program(program: Result<&FileStat, &Errno>, name: &str) -> bool {
    let Ok(own) = program else { return true };
    match look_at(name.as_bytes()) {
        Ok(found) => {
            let device = libc::makedev(found.stx_dev_major, found.stx_dev_minor);
            (device, found.stx_ino) == (own.st_dev, own.st_ino)
        }
        Err(errno) => !is_nothing(errno),
    }
}

/// The same file system, and mounted there: a mere folder of it is none of its mount points. Whether something is mounted the
/// kernel does not say before Linux 5.8; then every folder counts.
fn is_mounted(path: &[u8], name: &str) -> bool {
    let (own, found) = match (look_at(path), look_at(name.as_bytes())) {
        // A server that is gone is not a local disk: to forbid by its name is enough, and backups must not fail for it.
        (_, Err(_)) => return false,
        (Err(_), _) => return true,
        (Ok(own), Ok(found)) => (own, found),
    };
    let mount_root = u64::try_from(libc::STATX_ATTR_MOUNT_ROOT).unwrap_or_default();
    let tells = found.stx_attributes_mask & mount_root != 0;
    let is_root = found.stx_attributes & mount_root != 0;
    let device = |status: &libc::statx| (status.stx_dev_major, status.stx_dev_minor);
    device(&own) == device(&found) && (is_root || !tells)
}

fn is_user(user: &str, name: &str) -> bool {
    if user == name {
        return true;
    }
    match (accounts::find(user), accounts::find(name)) {
        (Ok(own), Ok(found)) => own.uid == found.uid,
        // Who is not there is nobody, and nobody else either.
        (Err(KeysError::NoUser), _) | (_, Err(KeysError::NoUser)) => false,
        _ => true,
    }
}

/// Whether there is nothing of that name.
fn is_nothing(errno: Errno) -> bool {
    matches!(errno, Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::ENAMETOOLONG)
}

/// statx(2), links followed.
fn look_at(path: &[u8]) -> Result<libc::statx, Errno> {
    let (path, whom) = (CString::new(path).map_err(|_| Errno::ENOENT)?, path.to_vec());
    patience::ask(("name", whom), PATIENCE, move || {
        let mut status = MaybeUninit::<libc::statx>::zeroed();
        let (flags, mask) = (libc::AT_STATX_SYNC_AS_STAT, libc::STATX_BASIC_STATS);
        // SAFETY: the path is a C string, and `status` has room for what the kernel writes.
        #[expect(unsafe_code, reason = "nix has no statx(2)")]
        let result = unsafe { libc::statx(libc::AT_FDCWD, path.as_ptr(), flags, mask, status.as_mut_ptr()) };
        match Errno::result(result) {
            // A filter that does not know the call; where the kernel does not, the C library has done the same.
            Err(Errno::EPERM | Errno::ENOSYS) => return Ok(as_before_statx(&stat(path.as_c_str())?)),
            result => drop(result?),
        }
        // SAFETY: it was made of zeros, which are a value of every member.
        #[expect(unsafe_code, reason = "the memory is initialised")]
        Ok(unsafe { status.assume_init() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Programs;
    use bulkhead_test_support::Scratch;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    fn text(scratch: &Scratch, name: &str) -> String {
        scratch.join(name).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_program_is_known_by_its_file_whatever_leads_there() {
        let scratch = Scratch::new("program");
        std::fs::copy("/bin/true", text(&scratch, "program")).unwrap();
        std::fs::copy("/bin/true", text(&scratch, "copy")).unwrap();
        std::fs::hard_link(text(&scratch, "program"), text(&scratch, "hard")).unwrap();
        symlink("program", text(&scratch, "link")).unwrap();
        symlink(".", text(&scratch, "folder")).unwrap();
        symlink("loop", text(&scratch, "loop")).unwrap();
        let located = Linux.locate_program(std::ffi::OsStr::new(&text(&scratch, "hard")).as_bytes()).unwrap();
        let names = ["program", "copy", "hard", "link", "folder/folder/link", "absent", "loop", "program/x"];
        let names = names.map(|name| text(&scratch, name));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(Linux.same(Thing::Program(&located), &names), [0, 2, 3, 4]);
    }

    #[test]
    fn what_is_mounted_is_known_by_its_root_and_not_by_its_folders() {
        let scratch = Scratch::new("mount");
        symlink("/proc", text(&scratch, "link")).unwrap();
        let names = [
            "/proc".to_owned(),
            text(&scratch, "link"),
            "/proc/self".to_owned(),
            "/sys".to_owned(),
            text(&scratch, ""),
        ];
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(Linux.same(Thing::MountPoint(b"/proc"), &names), [0, 1]);
    }

    #[test]
    fn a_user_is_a_number() {
        assert_eq!(Linux.same(Thing::User("root"), &["nobody", "root", "no-such-user-here"]), [1]);
        assert_eq!(Linux.same(Thing::User("no-such-user-here"), &["root"]), [0; 0]);
    }
}
