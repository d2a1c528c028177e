//! What can go wrong with a user's keys.

use nix::errno::Errno;
use thiserror::Error;

/// Why keys were not read or written. The paths are for the client's message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeysError {
    /// There is no such user.
    #[error("there is no such user")]
    NoUser,
    /// The user database could not be read.
    #[error("cannot look the user up")]
    NotLookedUp(#[source] Errno),
    /// The agent could not take on the user's rights.
    #[error("cannot act as the user")]
    NotUser(#[source] Errno),
    /// The home folder cannot be reached, or `.ssh` is missing in it and cannot be made.
    #[error("cannot make the folder of the keys")]
    NoFolder(Vec<u8>, #[source] Errno),
    /// The file itself could not be read or written.
    #[error("cannot use the file of the keys")]
    NoFile(Vec<u8>, #[source] Errno),
    /// What shall be written is longer than what would be read.
    #[error("the keys are too long")]
    TooLong,
    /// The user database or the home folder does not answer.
    #[error("the user's home does not answer")]
    TimedOut,
}
