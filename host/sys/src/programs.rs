//! Programs: where one is, and running one to its end.

use crate::{Held, ProgramError};
use nix::errno::Errno;
use std::time::Duration;

/// Finding programs, and running them to their end.
pub trait Programs {
    /// Whether there is a file at `path` that the agent may execute (access(2)).
    fn is_executable(&self, path: &[u8]) -> bool;

    /// Runs a program to its end. It reads [`Program::input`], and behind that nothing; what it prints on standard output and error
    /// is kept, up to the program's output limit.
    fn run(&self, program: &Program) -> Result<(), ProgramError>;

    /// Where a program is. A name with a slash is a path already; any other is searched in `search_path` (the form of
    /// PATH), without it in the agent's own PATH. `ENOENT` if it is nowhere, `EACCES` if it is there but cannot be executed.
    fn find_program(&self, name: &[u8], search_path: Option<&[u8]>) -> Result<Vec<u8>, Errno>;

    /// Finds the file that would be executed at `path`, links followed; `EACCES` if the agent may not execute it.
    fn locate_program(&self, path: &[u8]) -> Result<LocatedProgram, Errno>;
}

/// A program to run to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its path; no search, no shell.
    pub path: Vec<u8>,
    /// Its arguments, without the name.
    pub arguments: Vec<String>,
    /// Its standard input. Never logged: it may be a password.
    pub input: Vec<u8>,
    /// How long it may take. Then it and what it started in its process group are killed.
    pub time_limit: Duration,
    /// How much of its output is kept, in bytes; the rest is read and thrown away.
    pub output_limit: usize,
}

/// A program, found and held.
#[derive(Debug)]
pub struct LocatedProgram {
    /// The file (open(2), O_PATH).
    pub file: Held,
    /// Its path without links, as the kernel has it.
    pub path: Vec<u8>,
    /// Whether nobody but root can put another file at this path, or change this one: file and all folders above it are root's,
    /// and nobody else may write to them. Then executing what is at the path is as good as executing the file.
    pub is_fixed: bool,
}
