//! Why something was not done, and what it was about, where several capabilities have the same words for it.

use nix::errno::Errno;
use thiserror::Error;

/// Why the broker has not done it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal<E> {
    /// The owner's policy does not grant it. Which rule is the owner's business, and stands in the log.
    Denied,
    /// It was granted, tried, and failed.
    Failed(E),
}

impl<E> Refusal<E> {
    /// The same, with another word for what failed.
    pub fn map<F>(self, word: impl FnOnce(E) -> F) -> Refusal<F> {
        match self {
            Refusal::Denied => Refusal::Denied,
            Refusal::Failed(error) => Refusal::Failed(word(error)),
        }
    }
}

impl<E> From<E> for Refusal<E> {
    fn from(error: E) -> Self {
        Refusal::Failed(error)
    }
}

/// Which file system is meant, of several that are mounted at one place or over it; see `mounted` of `wit/types.wit`. One of
/// the two is enough: a mount has one file system, and what is on the same device is the same file system, by whatever mount it
/// is reached. (btrfs shows other numbers for what is in it than the table has.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MountId {
    /// The mount's own number.
    pub mount: u64,
    /// Major and minor number of the device.
    pub device: (u32, u32),
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

/// How a program failed that was run to its end.
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

/// The same of a program that the one who asked cannot name: the broker has chosen it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{program}: {why}")]
pub struct ProgramFailure {
    /// What it is called in messages.
    pub program: String,
    /// How it failed.
    #[source]
    pub why: ProgramError,
}
