//! What the agent can make the system do on behalf of a module.

use nix::errno::Errno;
use std::fs::File;
use std::time::Duration;
use thiserror::Error;

/// The system as the gate sees it. Paths are bytes: the kernel's are not always UTF-8.
pub trait System {
    /// Opens a file (open(2)) close-on-exec, never as controlling terminal and without blocking. A file that is made
    /// gets mode 0666 whatever the umask, as fopen(3) clients of qemu-ga have it; one that exists keeps its mode.
    fn open_file(&self, path: &[u8], flags: OpenFlags) -> Result<File, Errno>;

    /// The text of /proc/self/mountinfo; `EOVERFLOW` if it is longer than `limit` bytes.
    fn mountinfo(&self, limit: usize) -> Result<Vec<u8>, Errno>;

    /// Major and minor number of the block device at `path`; `ENODEV` if it is something else.
    fn block_device(&self, path: &[u8]) -> Result<(u32, u32), Errno>;

    /// Freezes the file system mounted at `mount_point` (FIFREEZE). Blocks until writes under way are done.
    fn freeze(&self, mount_point: &[u8]) -> Result<(), MountError>;

    /// Thaws it, once (FITHAW); `EINVAL` if it was not frozen.
    fn thaw(&self, mount_point: &[u8]) -> Result<(), MountError>;

    /// Discards its unused blocks (FITRIM), free extents shorter than `minimum` bytes excepted.
    fn trim(&self, mount_point: &[u8], minimum: u64) -> Result<Trimmed, MountError>;

    /// Whether there is a file at `path` that the agent may execute (access(2)).
    fn is_executable(&self, path: &[u8]) -> bool;

    /// Runs a program to its end. Its standard input is empty; what it prints on standard output and error is kept,
    /// up to the program's output limit.
    fn run(&self, program: &Program) -> Result<(), ProgramError>;
}

/// How to open a file; see `wit/files.wit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenFlags {
    /// Reading is wanted.
    pub read: bool,
    /// Writing is wanted.
    pub write: bool,
    /// Every write goes to the end.
    pub append: bool,
    /// Make the file if it is not there.
    pub create: bool,
    /// Empty it first.
    pub truncate: bool,
}

/// Why nothing was done to the file system mounted somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MountError {
    /// The mount point could not be opened.
    #[error("cannot open the mount point")]
    NotOpened(#[source] Errno),
    /// The file system refused.
    #[error("the file system refuses")]
    Failed(#[source] Errno),
}

/// What a trim did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trimmed {
    /// Bytes given back.
    pub bytes: u64,
    /// The smallest extent considered, in bytes, as the kernel rounded it.
    pub minimum: u64,
}

/// A program to run to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its path; no search, no shell.
    pub path: Vec<u8>,
    /// Its arguments, without the name.
    pub arguments: Vec<String>,
    /// How long it may take. Then it and what it started in its process group are killed.
    pub time_limit: Duration,
    /// How much of its output is kept, in bytes; the rest is read and thrown away.
    pub output_limit: usize,
}

/// How a program failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProgramError {
    /// It could not be started.
    #[error("it could not be started")]
    NotStarted(#[source] Errno),
    /// It ended with a status other than 0.
    #[error("exit status {status}")]
    Exited {
        /// The status.
        status: i32,
        /// What it printed.
        output: Vec<u8>,
    },
    /// A signal ended it.
    #[error("killed by signal {signal}")]
    Killed {
        /// The signal's number.
        signal: i32,
        /// What it printed.
        output: Vec<u8>,
    },
    /// It was killed at its time limit.
    #[error("it ran too long and was killed")]
    TimedOut,
}
