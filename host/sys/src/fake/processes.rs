//! Programs that run until a test ends them.

use super::{Fake, State};
use crate::{Ending, Output, ProgramError, Spawn, Spawned};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::collections::HashMap;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;

/// What the pretended system knows of it.
#[derive(Debug, Default)]
pub(super) struct Processes {
    /// By their numbers, which begin at 1 unless a test says which comes next.
    children: HashMap<i32, Child>,
    last: i32,
}

#[derive(Debug, Default)]
struct Child {
    stdin: Option<PipeReader>,
    stdout: Option<PipeWriter>,
    stderr: Option<PipeWriter>,
    ending: Option<Ending>,
    reaped: bool,
}

impl Fake {
    /// Has the process print something; nothing is lost in a pipe that is not full, 64 KiB that is.
    pub fn print(&self, pid: i32, text: &[u8]) {
        self.with_child(pid, |child| {
            if let Some(pipe) = &mut child.stdout {
                let _ = pipe.write_all(text);
            }
        });
    }

    /// Closes the standard output and error that the process, and whatever it has started, has.
    pub fn close_output(&self, pid: i32) {
        self.with_child(pid, |child| (child.stdout, child.stderr) = (None, None));
    }

    /// What the process finds in its standard input up to its end, which must have come.
    pub fn input(&self, pid: i32) -> Vec<u8> {
        let mut input = Vec::new();
        self.with_child(pid, |child| {
            if let Some(mut pipe) = child.stdin.take() {
                let _ = pipe.read_to_end(&mut input);
            }
        });
        input
    }

    /// Ends the process. What it has started may hold its output open.
    pub fn end(&self, pid: i32, ending: Ending) {
        self.with_child(pid, |child| (child.stdin, child.ending) = (None, Some(ending)));
    }

    /// Says which number the next process gets.
    pub fn set_next_pid(&self, pid: i32) {
        self.0.borrow_mut().processes.last = pid - 1;
    }

    /// The processes that nobody has waited for, ended or not.
    pub fn processes(&self) -> Vec<i32> {
        let state = self.0.borrow();
        let waiting = state.processes.children.iter().filter(|(_, child)| !child.reaped);
        let mut pids: Vec<i32> = waiting.map(|(pid, _)| *pid).collect();
        pids.sort_unstable();
        pids
    }

    fn with_child(&self, pid: i32, act: impl FnOnce(&mut Child)) {
        if let Some(child) = self.0.borrow_mut().processes.children.get_mut(&pid) {
            act(child);
        }
    }
}

/// See [`crate::System::find_program`]. A name is found in any folder: the pretended system has one of each.
pub(super) fn find_program(state: &State, name: &[u8], _search_path: Option<&[u8]>) -> Result<Vec<u8>, Errno> {
    if name.contains(&b'/') {
        return Ok(name.to_vec());
    }
    let is_named = |path: &str| path.rsplit('/').next().is_some_and(|last| last.as_bytes() == name);
    let found = state.programs.iter().find(|program| is_named(program.path));
    found.map(|program| program.path.as_bytes().to_vec()).ok_or(Errno::ENOENT)
}

/// See [`crate::System::spawn`]. Notes the call, arguments and all.
pub(super) fn spawn(state: &mut State, program: &Spawn) -> Result<Spawned, Errno> {
    let installed = state.programs.iter().find(|it| it.path.as_bytes() == program.path).ok_or(Errno::ENOENT)?;
    if let Err(ProgramError::NotStarted(errno)) = installed.outcome {
        return Err(errno);
    }
    let words = std::iter::once(&program.path).chain(program.arguments.iter().skip(1));
    let words: Vec<_> = words.map(Vec::as_slice).collect();
    state.note("spawn", &words.join(b" ".as_slice()));
    let pid = state.processes.last + 1;
    let mut child = Child::default();
    let mut spawned = Spawned { pid, stdin: None, stdout: None, stderr: None };
    if program.input {
        let (reader, writer) = pipe()?;
        child.stdin = Some(reader);
        spawned.stdin = Some(unblocked(writer)?.into());
    }
    if program.stdout == Output::Capture {
        let (reader, writer) = pipe()?;
        child.stdout = Some(writer);
        spawned.stdout = Some(unblocked(reader)?.into());
    }
    if program.stderr == Output::Capture {
        let (reader, writer) = pipe()?;
        child.stderr = Some(writer);
        spawned.stderr = Some(unblocked(reader)?.into());
    }
    state.processes.last = pid;
    state.processes.children.insert(pid, child);
    Ok(spawned)
}

fn pipe() -> Result<(PipeReader, PipeWriter), Errno> {
    std::io::pipe().map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EMFILE as i32)))
}

fn unblocked<P: AsFd>(end: P) -> Result<P, Errno> {
    fcntl(&end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(end)
}

/// See [`crate::System::reap`].
pub(super) fn reap(state: &mut State, pid: i32) -> Result<Option<Ending>, Errno> {
    let child = state.processes.children.get_mut(&pid).filter(|child| !child.reaped).ok_or(Errno::ECHILD)?;
    child.reaped = child.ending.is_some();
    Ok(child.ending)
}
