//! Programs that run on their own, as plain values.

use std::os::fd::OwnedFd;

/// A program to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spawn {
    /// Its path; no search, no shell. (The gate searches: what it is given may be a name.)
    pub path: Vec<u8>,
    /// What it is called, its argument 0, and its arguments. Never logged: they may hold secrets.
    pub arguments: Vec<Vec<u8>>,
    /// Its whole environment as NAME=VALUE; without it the agent's own. Never logged either.
    pub environment: Option<Vec<Vec<u8>>>,
    /// Whether it gets a pipe as standard input; if not, that is /dev/null.
    pub input: bool,
    /// What becomes of its standard output.
    pub stdout: Output,
    /// What becomes of its standard error.
    pub stderr: Output,
}

/// What becomes of what a program prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Goes to /dev/null.
    Discard,
    /// Goes to a pipe.
    Capture,
    /// Standard error only: goes where standard output goes.
    Merge,
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

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this exit status.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}
