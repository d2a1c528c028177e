//! `accounts`: passwords, and the keys of ssh.

use crate::{Errno, ProgramFailure, Refusal};
use thiserror::Error;

/// Why a password was not set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// The name would be a line or a field of its own.
    #[error("forbidden characters in the user's name")]
    ForbiddenInUser,
    /// So would the password.
    #[error("forbidden characters in the password")]
    ForbiddenInPassword,
    /// One of them is too long.
    #[error("the user's name or the password is too long")]
    TooLong,
    /// The program failed, or there is none.
    #[error(transparent)]
    Program(#[from] ProgramFailure),
}

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

interface! {
    /// Passwords, and the keys of ssh.
    Accounts {
        /// Sets a user's password, or its hash. At most 256 bytes of name and 4 KiB of password. Never logged.
        fn set_password(user: String, password: Vec<u8>, crypted: bool) -> Result<(), Refusal<PasswordError>>;

        /// The text of a user's file of keys, at most 512 KiB.
        fn read_keys(user: String) -> Result<Vec<u8>, Refusal<KeysError>>;

        /// Replaces it.
        fn write_keys(user: String, text: Vec<u8>) -> Result<(), Refusal<KeysError>>;
    }
}
