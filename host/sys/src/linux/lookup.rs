//! Opening what a path leads to, with a say in which links may lead there: openat2(2), or the same step by step.

mod walk;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// How often a lookup is begun anew that a simultaneous renaming has disturbed (`EAGAIN` of openat2(2)). A path of which a
/// folder is renamed all the time costs so many lookups, and is then not opened.
const ATTEMPTS: usize = 16;

/// Opens what `path` leads to from `at`. `how` always forbids links into a process ([`ResolveFlag::RESOLVE_NO_MAGICLINKS`]).
///
/// A kernel before 5.6 has no openat2(2) (`ENOSYS`), and where a filter refuses calls that it does not know (`EPERM`:
/// systemd up to 247 with RestrictSUIDSGID=, containers of old runtimes) it might as well not be there. Then the way is gone
/// step by step, under the same rules; what is really not permitted is not permitted on that way either.
pub(super) fn open(at: impl AsFd, path: &[u8], flags: OFlag, how: ResolveFlag) -> Result<OwnedFd, Errno> {
    let at = at.as_fd();
    let open_how = OpenHow::new().flags(flags).resolve(how);
    for _ in 0..ATTEMPTS {
        let opened = match openat2(at, OsStr::from_bytes(path), open_how) {
            Err(Errno::ENOSYS | Errno::EPERM) => walk::open(at, path, flags, how),
            opened => opened,
        };
        if opened.as_ref().err() != Some(&Errno::EAGAIN) {
            return opened;
        }
    }
    Err(Errno::EAGAIN)
}

/// The number of the mount by which a descriptor was reached, as mountinfo has it. By the way that kernels before 5.8 have,
/// too, which no filter refuses: proc_pid_fdinfo(5). Of this thread, for some have open files of their own.
pub(super) fn mount_of(descriptor: impl AsFd) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/thread-self/fdinfo/{}", descriptor.as_fd().as_raw_fd())).ok()?;
    text.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::filter::{alone, refuse_all, refusing};
    use super::*;
    use crate::{Files, Linux};
    use bulkhead_test_support::Scratch;
    use nix::fcntl::AT_FDCWD;
    use nix::libc;
    use nix::sys::stat::Mode;

    #[test]
    fn a_descriptor_has_the_mount_of_its_path() {
        let proc = nix::fcntl::open("/proc", OFlag::O_PATH, Mode::empty()).unwrap();
        let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let line = table.lines().rfind(|line| line.split(' ').nth(4) == Some("/proc")).unwrap();
        assert_eq!(mount_of(&proc), line.split(' ').next().and_then(|number| number.parse().ok()));
    }

    /// What lies in a tree does so however it was looked for.
    #[test]
    fn where_openat2_is_refused_things_lie_where_they_lie() {
        let name = "linux::lookup::tests::where_openat2_is_refused_things_lie_where_they_lie";
        alone(name, || {
            let folder = tree_of_links();
            let root = folder.path().to_str().unwrap();
            let look = || {
                let paths = [
                    "in/file",
                    "in/../outside",
                    "in/out",
                    "in/link/new",
                    "alias/file",
                    "in/magic",
                    "in/new",
                    "in/no/x",
                    "in/file/x",
                ];
                let trees = ["in", "in/deep", "alias"].map(|tree| format!("{root}/{tree}"));
                paths.map(|path| {
                    let trees: Vec<&str> = trees.iter().map(String::as_str).collect();
                    let it = Linux.locate(format!("{root}/{path}").as_bytes(), &trees).unwrap();
                    (it.path, it.kind, it.size, it.by_link, it.within, it.perhaps)
                })
            };
            let expected = look();
            refuse_all(&[libc::SYS_openat2, libc::SYS_close_range]);
            assert_eq!(look(), expected);
        });
    }

    fn tree_of_links() -> Scratch {
        let folder = Scratch::new("lie");
        std::fs::create_dir_all(folder.join("in/deep")).unwrap();
        std::fs::write(folder.join("in/file"), "text").unwrap();
        std::fs::write(folder.join("outside"), "secret").unwrap();
        for (target, name) in
            [("../outside", "in/out"), ("deep", "in/link"), ("in", "alias"), ("/proc/self/cwd", "in/magic")]
        {
            std::os::unix::fs::symlink(target, folder.join(name)).unwrap();
        }
        folder
    }

    /// All that asks another thread, for nothing can be looked up at once then.
    #[test]
    fn where_openat2_is_refused_all_else_goes_the_patient_way() {
        let name = "linux::lookup::tests::where_openat2_is_refused_all_else_goes_the_patient_way";
        alone(name, || {
            use crate::{Freezer, Mounts, Names, Programs, SystemFiles};
            use crate::{Held, MountError, MountId, OpenFlags, Thing};
            use std::time::Duration;
            refuse_all(&[libc::SYS_openat2, libc::SYS_close_range]);
            assert!(Linux.read_system_file(b"/", b"etc/passwd", 1 << 20).is_ok());
            // The standard library, which has used it by now, finds out only once that it is refused.
            refuse_all(&[libc::SYS_statx]);
            let proc = nix::fcntl::open("/proc", OFlag::O_PATH, Mode::empty()).unwrap();
            let device = nix::sys::stat::fstat(&proc).unwrap().st_dev;
            let numbers = [libc::major(device), libc::minor(device)];
            let right = MountId { mount: mount_of(&proc).unwrap(), device: (numbers[0], numbers[1]) };
            let wrong = MountId { mount: u64::MAX, device: (u32::MAX, u32::MAX) };
            let long = Duration::from_secs(60);
            assert!(Linux.usage(b"/proc", Some(right), long).is_ok());
            assert_eq!(Linux.usage(b"/proc", Some(wrong), long), Err(Errno::EXDEV));
            // There is no such thing as a frozen /proc.
            assert!(matches!(Linux.freeze(b"/proc", Some(right)), Err(MountError::Failed(_))));
            assert_eq!(Linux.freeze(b"/proc", Some(wrong)), Err(MountError::NotOpened(Errno::EXDEV)));
            let shell = Linux.locate_program(b"/bin/sh").unwrap();
            assert!(matches!(shell.file, Held::Theirs(_)));
            assert_eq!(Linux.same(Thing::Program(&shell), &["/bin/ls", "/bin/sh"]), [1]);
            let reading = OpenFlags { read: true, ..OpenFlags::default() };
            let located = Linux.locate(b"/etc/passwd", &[]).unwrap();
            for opened in [Linux.open_file(b"/etc/passwd", reading), Linux.open_located(&located, reading)] {
                let mut text = Vec::new();
                assert!(opened.unwrap().read_more(&mut text, 10).is_ok_and(|count| count > 0));
            }
        });
    }

    #[test]
    fn where_openat2_is_refused_the_way_is_gone_step_by_step() {
        let open = |path: &'static str, how| {
            refusing(&[libc::SYS_openat2], move || {
                let raw = openat2(AT_FDCWD, path, OpenHow::new().flags(OFlag::O_PATH));
                assert_eq!(raw.err(), Some(Errno::EPERM), "the filter is there");
                open(AT_FDCWD, path.as_bytes(), OFlag::O_PATH | OFlag::O_CLOEXEC, how).map(drop)
            })
        };
        assert_eq!(open("/proc/self/status", ResolveFlag::RESOLVE_NO_MAGICLINKS), Ok(()));
        assert_eq!(open("/proc/self/root/etc", ResolveFlag::RESOLVE_NO_MAGICLINKS), Err(Errno::ELOOP));
        assert_eq!(open("/proc/self/status", ResolveFlag::RESOLVE_NO_SYMLINKS), Err(Errno::ELOOP));
    }
}
