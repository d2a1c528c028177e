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
pub(super) fn mount_of(descriptor: &OwnedFd) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/thread-self/fdinfo/{}", descriptor.as_raw_fd())).ok()?;
    text.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::filter::refusing;
    use super::*;
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
        let folder = std::env::temp_dir().canonicalize().unwrap().join(format!("bulkhead-lie-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("in/deep")).unwrap();
        std::fs::write(folder.join("in/file"), "text").unwrap();
        std::fs::write(folder.join("outside"), "secret").unwrap();
        for (target, name) in
            [("../outside", "in/out"), ("deep", "in/link"), ("in", "alias"), ("/proc/self/cwd", "in/magic")]
        {
            std::os::unix::fs::symlink(target, folder.join(name)).unwrap();
        }
        let root = folder.to_str().unwrap().to_owned();
        let look = move || {
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
                let it = super::super::files::locate(format!("{root}/{path}").as_bytes(), &trees).unwrap();
                (it.path, it.kind, it.size, it.by_link, it.within, it.perhaps)
            })
        };
        let expected = look.clone()();
        assert_eq!(refusing(&[libc::SYS_openat2, libc::SYS_statx, libc::SYS_close_range], look), expected);
        std::fs::remove_dir_all(&folder).unwrap();
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
