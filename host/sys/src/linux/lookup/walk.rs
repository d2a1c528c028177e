//! What openat2(2) does, by openat(2) of one name after the other. Each step is taken from a folder that is held, and no step
//! follows a link by itself, so that nothing can be exchanged between a look and a step.

use nix::errno::Errno;
use nix::fcntl::{OFlag, ResolveFlag, openat, readlinkat};
use nix::libc;
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
use nix::unistd::geteuid;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// How many symbolic links may be on the way: as many as the kernel itself follows. It bounds two that point at each
/// other.
const LINKS: usize = 40;

/// For looking at what is there, without following it if it is a link.
const LOOK: OFlag = OFlag::O_PATH.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// Opens what `path` leads to from `at`; `EAGAIN` if it was exchanged meanwhile.
pub(super) fn open(at: BorrowedFd<'_>, path: &[u8], flags: OFlag, how: ResolveFlag) -> Result<OwnedFd, Errno> {
    if path.is_empty() {
        return Err(Errno::ENOENT);
    }
    if path.contains(&0) {
        return Err(Errno::EINVAL);
    }
    if path.len() >= usize::try_from(libc::PATH_MAX).unwrap_or(4096) {
        return Err(Errno::ENAMETOOLONG);
    }
    let start = open_folder(at, b".")?;
    Walk { places: vec![start], ahead: Vec::new(), links: 0, how }.run(path, flags)
}

struct Walk {
    /// Where it has come to, last. Before it, if the way must not lead above its beginning, the folders on the way there.
    places: Vec<OwnedFd>,
    /// The names that are ahead, the next one last.
    ahead: Vec<Vec<u8>>,
    links: usize,
    how: ResolveFlag,
}

impl Walk {
    fn run(mut self, path: &[u8], flags: OFlag) -> Result<OwnedFd, Errno> {
        self.go_on_with(path)?;
        while let Some(name) = self.ahead.pop() {
            match (name.as_slice(), self.ahead.is_empty()) {
                (b"..", is_last) => {
                    self.ascend()?;
                    if is_last {
                        self.ahead.push(b".".to_vec());
                    }
                }
                (name, false) => self.descend(name)?,
                (name, true) if flags.contains(OFlag::O_NOFOLLOW) => return self.end(name, flags),
                (name, true) => {
                    let found = step(self.place()?, name, LOOK)?;
                    if is_link(&fstat(&found)?) {
                        self.follow(&found)?;
                    } else if flags.contains(OFlag::O_PATH) && !flags.contains(OFlag::O_DIRECTORY) {
                        return Ok(found);
                    } else {
                        // A link by now: it is begun anew.
                        let exchanged = |errno| if errno == Errno::ELOOP { Errno::EAGAIN } else { errno };
                        return self.end(name, flags | OFlag::O_NOFOLLOW).map_err(exchanged);
                    }
                }
            }
        }
        Err(Errno::ENOENT)
    }

    fn place(&self) -> Result<&OwnedFd, Errno> {
        self.places.last().ok_or(Errno::ENOENT)
    }

    fn is_bound(&self) -> bool {
        self.how.contains(ResolveFlag::RESOLVE_BENEATH)
    }

    fn end(&self, name: &[u8], flags: OFlag) -> Result<OwnedFd, Errno> {
        step(self.place()?, name, flags)
    }

    fn enter(&mut self, folder: OwnedFd) {
        if !self.is_bound() {
            self.places.clear();
        }
        self.places.push(folder);
    }

    fn ascend(&mut self) -> Result<(), Errno> {
        if !self.is_bound() {
            let parent = open_folder(self.place()?, b"..")?;
            self.enter(parent);
            return Ok(());
        }
        // Where it came from, whatever has been moved since.
        self.places.pop();
        if self.places.is_empty() { Err(Errno::EXDEV) } else { Ok(()) }
    }

    fn descend(&mut self, name: &[u8]) -> Result<(), Errno> {
        if name == b"." {
            return Ok(());
        }
        match open_folder(self.place()?, name) {
            Ok(folder) => self.enter(folder),
            Err(Errno::ENOTDIR | Errno::ELOOP) => {
                let other = step(self.place()?, name, LOOK)?;
                if !is_link(&fstat(&other)?) {
                    return Err(Errno::ENOTDIR);
                }
                self.follow(&other)?;
            }
            Err(errno) => return Err(errno),
        }
        Ok(())
    }

    fn follow(&mut self, link: &OwnedFd) -> Result<(), Errno> {
        self.links += 1;
        if self.how.contains(ResolveFlag::RESOLVE_NO_SYMLINKS) || self.links > LINKS {
            return Err(Errno::ELOOP);
        }
        if is_planted(&fstat(self.place()?)?, &fstat(link)?) {
            return Err(Errno::EACCES);
        }
        let target = readlinkat(link, "")?;
        if leads_into_a_process(link, target.as_bytes())? {
            return Err(Errno::ELOOP);
        }
        self.go_on_with(target.as_bytes())
    }

    /// Puts the names of `path` before those that are ahead.
    fn go_on_with(&mut self, path: &[u8]) -> Result<(), Errno> {
        if path.starts_with(b"/") {
            if self.is_bound() {
                return Err(Errno::EXDEV);
            }
            let root = open_folder(self.place()?, b"/")?;
            self.enter(root);
        }
        // What ends with a slash is a folder.
        let folder = path.ends_with(b"/").then_some(b".".as_slice());
        let names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
        let names: Vec<&[u8]> = names.chain(folder).collect();
        self.ahead.extend(names.into_iter().rev().map(<[u8]>::to_vec));
        Ok(())
    }
}

fn open_folder(place: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    openat(place, OsStr::from_bytes(name), LOOK | OFlag::O_DIRECTORY, Mode::empty())
}

fn step(place: &OwnedFd, name: &[u8], flags: OFlag) -> Result<OwnedFd, Errno> {
    openat(place, OsStr::from_bytes(name), flags, Mode::empty())
}

fn is_link(found: &FileStat) -> bool {
    found.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFLNK.bits()
}

/// Whether a link is one that the kernel does not follow where fs.protected_symlinks is set (proc_sys_fs(5)): in a folder like
/// /tmp, somebody else's.
fn is_planted(folder: &FileStat, link: &FileStat) -> bool {
    let open = (Mode::S_ISVTX | Mode::S_IWOTH).bits();
    folder.st_mode & open == open && link.st_uid != geteuid().as_raw() && link.st_uid != folder.st_uid
}

/// Whether a link is not text but an object that a process has (proc_pid_fd(5)). The text of such a link is an absolute path, or
/// has a colon (`pipe:[1]`) or a bracket in it; those of /proc's own links (`self`, `net`, `mounts`) are plain and relative.
fn leads_into_a_process(link: &OwnedFd, target: &[u8]) -> Result<bool, Errno> {
    let is_plain = target.first().is_some_and(u8::is_ascii_alphanumeric) && !target.contains(&b':');
    Ok(!is_plain && fstatfs(link)?.filesystem_type() == PROC_SUPER_MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_test_support::Scratch;
    use nix::fcntl::{AT_FDCWD, OpenHow, open as plain_open, openat2};
    use std::os::unix::fs::symlink;

    type Opened = Result<(u64, u64), Errno>;

    fn identity(opened: Result<OwnedFd, Errno>) -> Opened {
        let found = fstat(&opened?)?;
        Ok((found.st_dev, found.st_ino))
    }

    /// A tree with every kind of link in it.
    fn tree() -> Scratch {
        let scratch = Scratch::new("walk");
        std::fs::create_dir_all(scratch.join("tree/a/b")).unwrap();
        for file in ["tree/file", "tree/a/b/deep", "outside"] {
            std::fs::write(scratch.join(file), "text").unwrap();
        }
        let links = [
            ("file", "inside"),
            ("a/b", "folder"),
            ("a/b/", "folder-with-slash"),
            ("file/", "file-with-slash"),
            ("../outside", "above"),
            ("a/../../outside", "above-by-a-way"),
            ("/etc/passwd", "absolute"),
            ("/", "root"),
            ("nowhere", "dangling"),
            ("loop-two", "loop-one"),
            ("loop-one", "loop-two"),
            ("/proc/self/cwd", "magic"),
            ("inside", "second"),
        ];
        for (target, name) in links {
            symlink(target, scratch.join(&format!("tree/{name}"))).unwrap();
        }
        // One more than are followed.
        symlink("file", scratch.join("tree/chain0")).unwrap();
        for number in 1..=41 {
            symlink(format!("chain{}", number - 1), scratch.join(&format!("tree/chain{number}"))).unwrap();
        }
        scratch
    }

    /// Where the kernel has openat2(2), it is the judge.
    #[test]
    fn every_way_ends_where_the_kernel_comes_to() {
        let scratch = tree();
        let at = plain_open(&scratch.join("tree"), OFlag::O_PATH, Mode::empty()).unwrap();
        if openat2(&at, ".", OpenHow::new().flags(OFlag::O_PATH)).err() == Some(Errno::ENOSYS) {
            return println!("skipped: this kernel has no openat2(2)");
        }
        let mut paths: Vec<String> = [
            "file",
            "file/",
            "file/.",
            "file/..",
            "file/x",
            ".",
            "./",
            "..",
            "../",
            "a/..",
            "a/../..",
            "a/../file",
            "a//b/./deep",
            "a/b/",
            "a/b/..",
            "a/b/../../file",
            "a/b/../../../outside",
            "inside",
            "inside/",
            "second",
            "folder",
            "folder/",
            "folder/deep",
            "folder/..",
            "folder/../../outside",
            "folder-with-slash",
            "folder-with-slash/deep",
            "file-with-slash",
            "above",
            "above-by-a-way",
            "absolute",
            "root",
            "root/",
            "root/etc",
            "dangling",
            "dangling/",
            "dangling/x",
            "loop-one",
            "loop-one/x",
            "magic",
            "magic/x",
            "no",
            "no/",
            "no/such",
            "no/..",
            "",
            "/",
            "//",
            "/..",
            "/etc/../etc/passwd",
            "/etc/passwd/",
            "/proc/self",
            "/proc/self/",
            "/proc/self/status",
            "/proc/net/dev",
            "/proc/mounts",
            "/proc/self/cwd",
            "/proc/self/cwd/",
            "/proc/self/root/etc",
            "/proc/self/exe",
            "/proc/self/fd/0",
            "/proc/self/ns/net",
            "chain39",
            "chain40",
            "chain41",
            "a\0b",
        ]
        .map(str::to_owned)
        .to_vec();
        paths.extend(["x".repeat(256), "./".repeat(2047), "./".repeat(2048), format!("{}file", "a/../".repeat(100))]);
        let magic = ResolveFlag::RESOLVE_NO_MAGICLINKS;
        let straight = magic | ResolveFlag::RESOLVE_NO_SYMLINKS;
        let beneath = ResolveFlag::RESOLVE_BENEATH;
        for path in &paths {
            for how in [magic, straight, magic | beneath, straight | beneath] {
                for flags in [
                    OFlag::O_PATH,
                    OFlag::O_PATH | OFlag::O_NOFOLLOW,
                    OFlag::O_PATH | OFlag::O_DIRECTORY,
                    OFlag::O_RDONLY,
                    OFlag::O_RDONLY | OFlag::O_NOFOLLOW,
                    OFlag::O_RDONLY | OFlag::O_DIRECTORY,
                ] {
                    let flags = flags | OFlag::O_CLOEXEC;
                    let opened = || openat2(&at, path.as_str(), OpenHow::new().flags(flags).resolve(how));
                    // A step back below a folder is begun anew when something is renamed anywhere on the machine.
                    let opened = std::iter::repeat_with(opened).find(|it| it.as_ref().err() != Some(&Errno::EAGAIN));
                    let kernel = identity(opened.expect("it repeats"));
                    let walked = identity(open(at.as_fd(), path.as_bytes(), flags, how));
                    assert_eq!(walked, kernel, "{path:.40} {how:?} {flags:?}");
                }
            }
        }
    }

    #[test]
    fn a_link_in_a_folder_like_tmp_is_its_owners_alone() {
        if !geteuid().is_root() {
            return println!("skipped: needs root");
        }
        use std::os::unix::fs::{PermissionsExt, lchown};
        let scratch = tree();
        lchown(scratch.join("tree/inside"), Some(1234), None).unwrap();
        let found = || {
            let path = scratch.join("tree/inside");
            identity(open(AT_FDCWD, path.as_os_str().as_bytes(), OFlag::O_PATH, ResolveFlag::RESOLVE_NO_MAGICLINKS))
        };
        assert!(found().is_ok());
        std::fs::set_permissions(scratch.join("tree"), std::fs::Permissions::from_mode(0o1777)).unwrap();
        assert_eq!(found(), Err(Errno::EACCES));
        lchown(scratch.join("tree/inside"), Some(0), None).unwrap();
        assert!(found().is_ok());
    }
}
