//! Finding the file that would be executed.

use crate::LocatedProgram;
use crate::linux::lookup;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, ResolveFlag, readlink};
use nix::sys::stat::{SFlag, fstat};
use nix::unistd::{AccessFlags, access};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

/// How often it is begun anew when something else is at the path by then: a program that is being replaced.
const ATTEMPTS: usize = 16;

/// See [`crate::System::locate_program`].
///
/// What is found and the path that is told belong together: what is at that path, without a link on the way, is this very
/// file. A file that is there no more, or in another mount namespace, has no path.
pub(in crate::linux) fn locate_program(path: &[u8]) -> Result<LocatedProgram, Errno> {
    for _ in 0..ATTEMPTS {
        let file = hold(path, OFlag::empty(), ResolveFlag::RESOLVE_NO_MAGICLINKS)?;
        let place = format!("/proc/self/fd/{}", file.as_raw_fd());
        let real = readlink(place.as_str())?.into_vec();
        if is_at(&file, &real)? {
            if fstat(&file)?.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFREG.bits() {
                return Err(Errno::EACCES);
            }
            access(place.as_str(), AccessFlags::X_OK)?;
            return Ok(LocatedProgram { file, path: real });
        }
    }
    Err(Errno::ENOENT)
}

fn is_at(file: &OwnedFd, path: &[u8]) -> Result<bool, Errno> {
    let straight = ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_MAGICLINKS;
    let Ok(there) = hold(path, OFlag::O_NOFOLLOW, straight) else { return Ok(false) };
    let (file, there) = (fstat(file)?, fstat(&there)?);
    Ok((file.st_dev, file.st_ino) == (there.st_dev, there.st_ino))
}

/// Holds what is at the path, and does nothing with it.
fn hold(path: &[u8], flags: OFlag, resolve: ResolveFlag) -> Result<OwnedFd, Errno> {
    lookup::open(AT_FDCWD, path, flags | OFlag::O_PATH | OFlag::O_CLOEXEC, resolve)
}

#[cfg(test)]
mod tests {
    use super::super::tests::Scratch;
    use super::*;
    use nix::sys::stat::Mode;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn real(path: &Path) -> Result<String, Errno> {
        locate_program(path.as_os_str().as_bytes()).map(|found| String::from_utf8(found.path).unwrap())
    }

    #[test]
    fn links_are_followed_to_the_file() {
        let scratch = Scratch::new();
        let program = scratch.program("program", "#!/bin/sh\n");
        let expected = Ok(program.to_str().unwrap().to_owned());
        symlink("program", scratch.path("link")).unwrap();
        symlink(".", scratch.path("folder")).unwrap();
        assert_eq!(real(&program), expected);
        assert_eq!(real(&scratch.path("link")), expected);
        assert_eq!(real(&scratch.path("folder/./folder/link")), expected);
        std::fs::hard_link(&program, scratch.path("other")).unwrap();
        assert_eq!(real(&scratch.path("other")).map(|path| path.ends_with("/other")), Ok(true), "as it was called");
    }

    #[test]
    fn what_cannot_be_executed_is_refused() {
        let scratch = Scratch::new();
        std::fs::write(scratch.path("text"), "").unwrap();
        nix::unistd::mkfifo(&scratch.path("fifo"), Mode::S_IRWXU).unwrap();
        symlink("loop", scratch.path("loop")).unwrap();
        assert_eq!(real(&scratch.path("text")), Err(Errno::EACCES));
        assert_eq!(real(&scratch.path("fifo")), Err(Errno::EACCES), "and nobody waits at it");
        assert_eq!(real(&scratch.path("")), Err(Errno::EACCES), "a folder");
        assert_eq!(real(&scratch.path("absent")), Err(Errno::ENOENT));
        assert_eq!(real(&scratch.path("text/below")), Err(Errno::ENOTDIR));
        assert_eq!(real(&scratch.path("loop")), Err(Errno::ELOOP));
        assert_eq!(locate_program(b"/bin/s\0h").err(), Some(Errno::EINVAL));
        assert_eq!(locate_program(b"").err(), Some(Errno::ENOENT));
    }

    #[test]
    fn a_process_is_no_way_to_a_file() {
        for path in ["/proc/self/exe", "/proc/self/root/bin/sh", "/proc/self/cwd/Cargo.toml"] {
            assert_eq!(real(Path::new(path)), Err(Errno::ELOOP), "{path}");
        }
    }

    #[test]
    fn a_file_that_is_gone_has_no_path() {
        let scratch = Scratch::new();
        let program = scratch.program("program", "#!/bin/sh\n");
        let file = hold(program.as_os_str().as_bytes(), OFlag::empty(), ResolveFlag::empty()).unwrap();
        assert_eq!(is_at(&file, program.as_os_str().as_bytes()), Ok(true));
        std::fs::remove_file(&program).unwrap();
        assert_eq!(is_at(&file, program.as_os_str().as_bytes()), Ok(false));
        scratch.program("program", "another");
        assert_eq!(is_at(&file, program.as_os_str().as_bytes()), Ok(false));
    }
}
