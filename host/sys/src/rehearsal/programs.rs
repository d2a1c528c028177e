//! Programs that are found, be they there or not, and never run.

use super::{absolute, missing, nothing};
use crate::{LocatedProgram, OpenFlags, Program, ProgramError, Programs, Rehearsal, System};
use nix::errno::Errno;
use std::os::fd::OwnedFd;

impl<S: System> Programs for Rehearsal<S> {
    fn is_executable(&self, _path: &[u8]) -> bool {
        true
    }

    fn run(&self, _program: &Program) -> Result<(), ProgramError> {
        Ok(())
    }

    fn find_program(&self, name: &[u8], search_path: Option<&[u8]>) -> Result<Vec<u8>, Errno> {
        match self.real.find_program(name, search_path) {
            Err(Errno::ENOENT) if !name.is_empty() && !name.contains(&b'/') => {
                let path = [b"/usr/bin/", name].concat();
                self.suppose(&path, "a program");
                Ok(path)
            }
            other => other,
        }
    }

    fn locate_program(&self, path: &[u8]) -> Result<LocatedProgram, Errno> {
        let path = absolute(path);
        match self.real.locate_program(&path) {
            Err(Errno::ENOENT) => {
                let (located, _) = missing::locate(&self.real, &path, &[])?;
                self.suppose(&located.path, "a program");
                let flags = OpenFlags { read: true, ..OpenFlags::default() };
                Ok(LocatedProgram { file: OwnedFd::from(nothing(flags)?).into(), path: located.path, is_fixed: false })
            }
            other => other,
        }
    }
}
