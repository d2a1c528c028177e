//! Programs that only note that they were run.

use super::{Fake, FakeProgram, State};
use crate::{LocatedProgram, Program, ProgramError};
use nix::errno::Errno;
use std::fs::File;
use std::os::fd::OwnedFd;

/// The program at `path`.
fn find<'a>(state: &'a State, path: &[u8]) -> Option<&'a FakeProgram> {
    state.programs.iter().find(|program| program.path.as_bytes() == path)
}

/// The program at the end of the links.
pub(super) fn installed<'a>(state: &'a State, path: &[u8]) -> Result<&'a FakeProgram, Errno> {
    let link = state.processes.links.iter().find(|(link, _)| link.as_bytes() == path);
    let path = link.map_or(path, |(_, target)| target.as_bytes());
    find(state, path).ok_or(Errno::ENOENT)
}

impl crate::Programs for Fake {
    /// Whether it was installed.
    fn is_executable(&self, path: &[u8]) -> bool {
        let state = &self.0.borrow();
        find(state, path).is_some()
    }

    /// Notes the call, arguments and input and all, and ends as it was told to.
    fn run(&self, program: &Program) -> Result<(), ProgramError> {
        let state = &mut *self.0.borrow_mut();
        let outcome = find(state, &program.path).map(|found| found.outcome.clone());
        let mut words = vec![String::from_utf8_lossy(&program.path).into_owned()];
        words.extend(program.arguments.iter().cloned());
        state.note("run", words.join(" ").as_bytes());
        if !program.input.is_empty() {
            state.note("input", &program.input);
        }
        outcome.unwrap_or(Err(ProgramError::NotStarted(Errno::ENOENT)))
    }

    /// A name is found in any folder: the pretended system has one of each.
    fn find_program(&self, name: &[u8], _search_path: Option<&[u8]>) -> Result<Vec<u8>, Errno> {
        let state = &self.0.borrow();
        if name.contains(&b'/') {
            return Ok(name.to_vec());
        }
        let is_named = |path: &&str| path.rsplit('/').next().is_some_and(|last| last.as_bytes() == name);
        let links = state.processes.links.iter().map(|(path, _)| *path);
        let found = state.programs.iter().map(|program| program.path.as_str()).chain(links).find(is_named);
        found.map(|path| path.as_bytes().to_vec()).ok_or(Errno::ENOENT)
    }

    fn locate_program(&self, path: &[u8]) -> Result<LocatedProgram, Errno> {
        let state = &self.0.borrow();
        let path = installed(state, path)?.path.as_bytes().to_vec();
        let file = File::open("/dev/null").map_err(|_| Errno::EMFILE)?;
        Ok(LocatedProgram { file: OwnedFd::from(file).into(), path, is_fixed: false })
    }
}
