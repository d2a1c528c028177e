//! Programs that run on their own.

mod spawn;

pub(super) use spawn::spawn;

use crate::Ending;
use nix::errno::Errno;
use nix::libc;
use nix::unistd::{AccessFlags, access};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Where programs are searched if nothing says where: the C library's own.
const DEFAULT_SEARCH_PATH: &[u8] = b"/bin:/usr/bin";

/// See [`crate::System::find_program`]. Goes on at the same errors as execvp(3): a folder that is not there, or not to be
/// looked into, does not hide the next.
pub(super) fn find_program(name: &[u8], search_path: Option<&[u8]>) -> Result<Vec<u8>, Errno> {
    if name.is_empty() {
        return Err(Errno::ENOENT);
    }
    if name.contains(&b'/') {
        return Ok(name.to_vec());
    }
    let own = std::env::var_os("PATH");
    let search_path = search_path.or(own.as_ref().map(|path| path.as_bytes())).unwrap_or(DEFAULT_SEARCH_PATH);
    let mut refusal = Errno::ENOENT;
    for folder in search_path.split(|byte| *byte == b':') {
        let path = [if folder.is_empty() { b"." } else { folder }, b"/", name].concat();
        match check_executable(&path) {
            Ok(()) => return Ok(path),
            Err(Errno::EACCES) => refusal = Errno::EACCES,
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ENODEV | Errno::ESTALE | Errno::ETIMEDOUT) => {}
            Err(errno) => return Err(errno),
        }
    }
    Err(refusal)
}

/// Whether execve(2) would take the file, as far as its kind and its permissions say.
fn check_executable(path: &[u8]) -> Result<(), Errno> {
    let path = OsStr::from_bytes(path);
    access(path, AccessFlags::X_OK)?;
    if Path::new(path).is_file() { Ok(()) } else { Err(Errno::EACCES) }
}

/// See [`crate::System::reap`]. By way of libc, for nix takes a status for an error if the signal in it has no name.
pub(super) fn reap(pid: i32) -> Result<Option<Ending>, Errno> {
    // Zero and below would mean children in general.
    if pid <= 0 {
        return Err(Errno::ECHILD);
    }
    let mut status = 0;
    // SAFETY: the call writes an int to where it is told to, and does nothing else to our memory.
    #[expect(unsafe_code, reason = "waitpid(2) takes a pointer")]
    let found = Errno::result(unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) })?;
    Ok(match found {
        0 => None,
        _ if libc::WIFSIGNALED(status) => Some(Ending::Killed(libc::WTERMSIG(status))),
        _ => Some(Ending::Exited(libc::WEXITSTATUS(status))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_searched_folder_by_folder() {
        assert_eq!(find_program(b"sh", Some(b"/nowhere:/etc/passwd:/usr/bin:/bin")), Ok(b"/usr/bin/sh".to_vec()));
        assert_eq!(find_program(b"sh", Some(b"/nowhere")), Err(Errno::ENOENT));
        assert!(find_program(b"sh", None).is_ok(), "in the agent's own PATH");
        assert_eq!(find_program(b"", None), Err(Errno::ENOENT));
    }

    #[test]
    fn a_path_is_not_searched() {
        assert_eq!(find_program(b"/no/such/program", Some(b"/bin")), Ok(b"/no/such/program".to_vec()));
        assert_eq!(find_program(b"./here", None), Ok(b"./here".to_vec()));
    }

    #[test]
    fn what_cannot_be_executed_is_passed_over_but_remembered() {
        assert_eq!(find_program(b"passwd", Some(b"/etc:/nowhere")), Err(Errno::EACCES), "not executable");
        assert_eq!(find_program(b"bin", Some(b"/usr")), Err(Errno::EACCES), "a folder");
        assert_eq!(find_program(&[b'x'; 300], Some(b"/usr/bin")), Err(Errno::ENAMETOOLONG));
    }

    #[test]
    fn an_empty_entry_is_the_working_directory() {
        // Where the tests of this package run there is a Cargo.toml, which is not executable.
        assert_eq!(find_program(b"Cargo.toml", Some(b":/nowhere")), Err(Errno::EACCES));
        assert_eq!(find_program(b"Cargo.toml", Some(b"/nowhere")), Err(Errno::ENOENT));
    }
}
