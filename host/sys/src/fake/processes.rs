//! Programs that run until a test ends them.

use super::{Fake, programs};
use crate::{Ending, Manner, Output, ProgramError, Spawn, Spawned};
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
    /// Symbolic links to programs: path and target.
    pub(super) links: Vec<(&'static str, &'static str)>,
    /// What programs print before they end by themselves, by their paths.
    brief: HashMap<String, (Vec<u8>, Ending)>,
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
    /// Makes a symbolic link to a program.
    pub fn link_program(&self, path: &'static str, target: &'static str) {
        self.0.borrow_mut().processes.links.push((path, target));
    }

    /// Installs a program that prints a text of less than 64 KiB and ends with this status.
    pub fn install_brief(&self, path: &str, text: impl Into<Vec<u8>>, status: i32) {
        let output = text.into();
        self.0.borrow_mut().processes.brief.insert(path.to_owned(), (output.clone(), Ending::Exited(status)));
        self.install(path, if status == 0 { Ok(()) } else { Err(ProgramError::Exited { status, output }) });
    }

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

impl crate::Processes for Fake {
    /// Notes the call, arguments and manner and all: `spawn` executes what is at the path,
    /// `execute` the file that was found before.
    fn spawn(&self, program: &Spawn) -> Result<Spawned, Errno> {
        let state = &mut *self.0.borrow_mut();
        let installed = programs::installed(state, &program.path)?;
        if let Err(ProgramError::NotStarted(errno)) = installed.outcome {
            return Err(errno);
        }
        let installed_path = installed.path.clone();
        let Manner { file, user, own_group, .. } = &program.manner;
        let words = std::iter::once(&program.path).chain(program.arguments.iter().skip(1));
        let mut words = words.map(Vec::as_slice).collect::<Vec<_>>().join(b" ".as_slice());
        words.extend(user.iter().flat_map(|user| format!(" as {user}").into_bytes()));
        words.extend_from_slice(if *own_group { b" in its own group" } else { b"" });
        state.note(if file.is_some() { "execute" } else { "spawn" }, &words);
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
        if let Some((text, ending)) = state.processes.brief.get(installed_path.as_str()) {
            if let Some(pipe) = &mut child.stdout {
                pipe.write_all(text).map_err(|_| Errno::EIO)?;
            }
            child = Child { ending: Some(*ending), ..Child::default() };
        }
        state.processes.last = pid;
        state.processes.children.insert(pid, child);
        Ok(spawned)
    }

    /// Notes the call.
    fn kill_group(&self, pid: i32) -> Result<(), Errno> {
        let state = &mut *self.0.borrow_mut();
        state.note("kill group", pid.to_string().as_bytes());
        let child = state.processes.children.get_mut(&pid).filter(|child| !child.reaped).ok_or(Errno::ESRCH)?;
        *child = Child { ending: Some(child.ending.unwrap_or(Ending::Killed(9))), ..Child::default() };
        Ok(())
    }

    fn has_ended(&self, pid: i32) -> Result<bool, Errno> {
        let state = &self.0.borrow();
        let child = state.processes.children.get(&pid).filter(|child| !child.reaped).ok_or(Errno::ECHILD)?;
        Ok(child.ending.is_some())
    }

    fn reap(&self, pid: i32) -> Result<Option<Ending>, Errno> {
        let state = &mut *self.0.borrow_mut();
        let child = state.processes.children.get_mut(&pid).filter(|child| !child.reaped).ok_or(Errno::ECHILD)?;
        child.reaped = child.ending.is_some();
        Ok(child.ending)
    }
}

fn pipe() -> Result<(PipeReader, PipeWriter), Errno> {
    std::io::pipe().map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EMFILE as i32)))
}

fn unblocked<P: AsFd>(end: P) -> Result<P, Errno> {
    fcntl(&end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(end)
}
