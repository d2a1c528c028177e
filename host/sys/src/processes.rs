//! Programs that run on their own.

use crate::{Ending, Held, Output, Rehearsal, System};
use nix::errno::Errno;
use std::os::fd::OwnedFd;

/// Starting programs that outlive the call, and seeing how they end.
pub trait Processes {
    /// Starts a program that outlives the call.
    fn spawn(&self, program: &Spawn) -> Result<Spawned, Errno>;

    /// Kills a program that was started in a group of its own, with all that it has started (killpg(2), SIGKILL). Only as
    /// long as it was not reaped, for then the number may be another's.
    fn kill_group(&self, pid: i32) -> Result<(), Errno>;

    /// Whether a program that [`Processes::spawn`] started has ended. It is not forgotten by that: its number stays its own
    /// until it is reaped.
    fn has_ended(&self, pid: i32) -> Result<bool, Errno>;

    /// How a program that [`Processes::spawn`] started ended; nothing while it runs (waitpid(2)). Forgets it once it has told.
    fn reap(&self, pid: i32) -> Result<Option<Ending>, Errno>;
}

/// The number of every program that is pretended to run. No process has it: the kernel's numbers end at 2^22.
pub(crate) const PRETENDED: i32 = i32::MAX;

impl<S: System> Processes for Rehearsal<S> {
    fn spawn(&self, _program: &Spawn) -> Result<Spawned, Errno> {
        Ok(Spawned { pid: PRETENDED, stdin: None, stdout: None, stderr: None })
    }

    fn kill_group(&self, _pid: i32) -> Result<(), Errno> {
        Ok(())
    }

    fn has_ended(&self, _pid: i32) -> Result<bool, Errno> {
        Ok(true)
    }

    fn reap(&self, _pid: i32) -> Result<Option<Ending>, Errno> {
        Ok(Some(Ending::Exited(0)))
    }
}

/// A program to start.
#[derive(Debug, PartialEq)]
pub struct Spawn {
    /// Its path; no search, no shell. (The gate searches: what it is given may be a name.)
    pub path: Vec<u8>,
    /// What it is called, its argument 0, and its arguments. Never logged: they may hold secrets.
    pub arguments: Vec<Vec<u8>>,
    /// Its whole environment as NAME=VALUE; without it the agent's own, or one that befits its user. Never logged either.
    pub environment: Option<Vec<Vec<u8>>>,
    /// Whether it gets a pipe as standard input; if not, that is /dev/null.
    pub input: bool,
    /// What becomes of its standard output.
    pub stdout: Output,
    /// What becomes of its standard error.
    pub stderr: Output,
    /// What is different for a program of which an owner's rule says how it runs.
    pub manner: Manner,
}

/// How a program runs, where that is not as qemu-ga would have it.
#[derive(Debug, Default)]
pub struct Manner {
    /// The file to execute (execveat(2)), whatever is at the path by now. If it is a script, its interpreter is given it as
    /// `/dev/fd/3`, which is then the script's `$0`, and has it open under that number; a binary has not.
    pub file: Option<Held>,
    /// Whether there is no shell for a file that the kernel cannot execute: `ENOEXEC`. So it is if there is a `file`.
    pub exact: bool,
    /// The user as whom it runs, for good and with that user's groups, in the root folder; `EPERM` if there is none. HOME,
    /// USER, LOGNAME and SHELL are the user's, where `environment` does not set them; without `environment` there are these, a
    /// PATH, and the agent's language and time zone. The user's login is not imitated beyond that: no limits, no session, and
    /// the agent's umask.
    pub user: Option<String>,
    /// Whether it can be ended with all that it has started. Every program leads a process group of its own.
    pub own_group: bool,
}

/// Two are the same if they say the same; files are not compared.
impl PartialEq for Manner {
    fn eq(&self, other: &Self) -> bool {
        (self.file.is_some(), self.exact, &self.user, self.own_group)
            == (other.file.is_some(), other.exact, &other.user, other.own_group)
    }
}

/// A program that was started, with the agent's ends of its pipes, which do not block.
#[derive(Debug)]
pub struct Spawned {
    /// Its process id.
    pub pid: i32,
    /// Its standard input.
    pub stdin: Option<OwnedFd>,
    /// Its standard output.
    pub stdout: Option<OwnedFd>,
    /// Its standard error.
    pub stderr: Option<OwnedFd>,
}
