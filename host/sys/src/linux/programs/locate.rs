//! Finding the file that would be executed.

use super::super::files::{BY_LINKS, Look, Object, STRAIGHT, link_to, look_up};
use crate::{LocatedProgram, ObjectKind};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, ResolveFlag};
use nix::unistd::{AccessFlags, access};

/// How often it is begun anew when something else is at the path by then: a program that is being replaced.
const ATTEMPTS: usize = 16;

/// What is found and the path that is told belong together: what is at that path, without a link on the way, is this very
/// file. A file that is there no more, or in another mount namespace, has no path.
pub(super) fn locate_program(path: &[u8]) -> Result<LocatedProgram, Errno> {
    let theirs = path.to_vec();
    look_up(("program", path.to_vec()), move |look| find(look, &theirs))
}

fn find(look: &Look, path: &[u8]) -> Result<LocatedProgram, Errno> {
    for _ in 0..ATTEMPTS {
        let file = hold(look, path, BY_LINKS)?;
        let real = file.path()?;
        if is_at(look, &file, &real) {
            check(&file)?;
            let is_fixed = is_fixed(look, &file, &real);
            return Ok(LocatedProgram { file: look.hold(file.descriptor), path: real, is_fixed });
        }
    }
    Err(Errno::ENOENT)
}

/// Whether execve(2) would take the file, as far as its kind and its permissions say.
fn check(file: &Object) -> Result<(), Errno> {
    if file.kind != ObjectKind::File {
        return Err(Errno::EACCES);
    }
    access(link_to(&file.descriptor).as_str(), AccessFlags::X_OK)
}

/// Whether it would take what is at the path.
pub(super) fn check_executable(path: &[u8]) -> Result<(), Errno> {
    let theirs = path.to_vec();
    look_up(("search", path.to_vec()), move |look| check(&hold(look, &theirs, BY_LINKS)?))
}

fn is_at(look: &Look, file: &Object, path: &[u8]) -> bool {
    hold(look, path, STRAIGHT).is_ok_and(|there| there.is(file))
}

/// Whether nobody but root, or whom the agent runs as, could have another file at the path: from the root folder to the file,
/// nobody else may write to anything. What may be written by a group counts as writable, also if the group is root's.
fn is_fixed(look: &Look, file: &Object, path: &[u8]) -> bool {
    let root = hold(look, b"/", STRAIGHT);
    path.starts_with(b"/") && root.is_ok_and(|root| is_fixed_below(look, root, path, file))
}

fn is_fixed_below(look: &Look, mut place: Object, path: &[u8], file: &Object) -> bool {
    for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        match Object::step(look, &place.descriptor, name) {
            Ok(next) if place.is_ours => place = next,
            _ => return false,
        }
    }
    place.is_ours && place.is(file)
}

/// Holds what is at the path, and does nothing with it.
fn hold(look: &Look, path: &[u8], how: ResolveFlag) -> Result<Object, Errno> {
    Object::find(look, AT_FDCWD, path, how)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::processes::tests::Scratch;
    use crate::{Linux, Programs};
    use nix::sys::stat::Mode;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn real(path: &Path) -> Result<String, Errno> {
        Linux.locate_program(path.as_os_str().as_bytes()).map(|found| String::from_utf8(found.path).unwrap())
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
        assert_eq!(Linux.locate_program(b"/bin/s\0h").err(), Some(Errno::EINVAL));
        assert_eq!(Linux.locate_program(b"").err(), Some(Errno::ENOENT));
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
        let look = Look::patiently();
        let file = hold(&look, program.as_os_str().as_bytes(), BY_LINKS).unwrap();
        assert!(is_at(&look, &file, program.as_os_str().as_bytes()));
        std::fs::remove_file(&program).unwrap();
        assert!(!is_at(&look, &file, program.as_os_str().as_bytes()));
        scratch.program("program", "another");
        assert!(!is_at(&look, &file, program.as_os_str().as_bytes()));
    }

    #[test]
    fn a_path_is_fixed_if_nobody_else_may_write_on_the_way() {
        // Who runs the tests is whom the agent runs as; a folder that everybody may write to is none of theirs.
        let is_fixed = |path: &Path| Linux.locate_program(path.as_os_str().as_bytes()).unwrap().is_fixed;
        assert!(is_fixed(Path::new("/bin/sh")));
        let scratch = Scratch::new();
        let program = scratch.program("program", "#!/bin/sh\n");
        assert!(!is_fixed(&program), "anybody may rename what is in /tmp");
        let look = Look::patiently();
        let below = |folder: &Path| {
            let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
            let file = hold(&look, &bytes(&program), BY_LINKS).unwrap();
            let folder = hold(&look, &bytes(folder), BY_LINKS).unwrap();
            is_fixed_below(&look, folder, b"program", &file)
        };
        assert!(below(program.parent().unwrap()));
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o775)).unwrap();
        assert!(!below(program.parent().unwrap()), "a group may write to it");
    }
}
