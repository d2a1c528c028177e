//! Programs: where one is, and running one to its end.

mod locate;
mod run;

use super::{Linux, errno, patience, processes};
use crate::{LocatedProgram, Program, ProgramError, Programs};
use locate::check_executable;
use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Where programs are searched if nothing says where: the C library's own.
const DEFAULT_SEARCH_PATH: &[u8] = b"/bin:/usr/bin";

/// How long a search path may be, in bytes: the kernel takes no longer variables (MAX_ARG_STRLEN in execve(2)). It bounds how many
/// folders a client can have searched, a hundred thousand system calls.
const SEARCH_PATH: usize = 128 * 1024;

impl Programs for Linux {
    fn is_executable(&self, path: &[u8]) -> bool {
        access(OsStr::from_bytes(path), AccessFlags::X_OK).is_ok()
    }

    fn run(&self, program: &Program) -> Result<(), ProgramError> {
        run::run(program)
    }

    /// Goes on at the same errors as execvp(3): a folder that is not there, or not to be looked into, does not hide the next.
    fn find_program(&self, name: &[u8], search_path: Option<&[u8]>) -> Result<Vec<u8>, Errno> {
        if name.is_empty() {
            return Err(Errno::ENOENT);
        }
        if name.contains(&b'/') {
            return Ok(name.to_vec());
        }
        let own = std::env::var_os("PATH");
        let search_path = search_path.or(own.as_ref().map(|path| path.as_bytes())).unwrap_or(DEFAULT_SEARCH_PATH);
        if search_path.len() > SEARCH_PATH {
            return Err(Errno::E2BIG);
        }
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

    fn locate_program(&self, path: &[u8]) -> Result<LocatedProgram, Errno> {
        locate::locate_program(path)
    }
}
