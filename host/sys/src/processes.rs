//! Programs that run on their own, as plain values.

use crate::{Held, Output};
use std::os::fd::OwnedFd;

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
