//! Programs that only note that they were run.

use super::{FakeProgram, State};
use crate::{Program, ProgramError};
use nix::errno::Errno;

/// The program at `path`.
pub(super) fn find<'a>(state: &'a State, path: &[u8]) -> Option<&'a FakeProgram> {
    state.programs.iter().find(|program| program.path.as_bytes() == path)
}

/// Notes the call, arguments and input and all, and ends as it was told to.
pub(super) fn run(state: &mut State, program: &Program) -> Result<(), ProgramError> {
    let outcome = find(state, &program.path).map(|found| found.outcome.clone());
    let mut words = vec![String::from_utf8_lossy(&program.path).into_owned()];
    words.extend(program.arguments.iter().cloned());
    state.note("run", words.join(" ").as_bytes());
    if !program.input.is_empty() {
        state.note("input", &program.input);
    }
    outcome.unwrap_or(Err(ProgramError::NotStarted(Errno::ENOENT)))
}
