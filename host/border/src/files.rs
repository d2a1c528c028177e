//! `files`: open files by number.

use crate::{Errno, Refusal};

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

/// From where to seek.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// The beginning.
    Start,
    /// Where the file is read and written.
    Current,
    /// The end.
    End,
}

/// Some bytes read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// At most as many as were asked for.
    pub data: Vec<u8>,
    /// Whether the end of the file was met.
    pub eof: bool,
}

/// Why nothing was done with an open file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    /// No open file of this module has the number.
    UnknownHandle,
    /// The system says no.
    Failed(Errno),
}

interface! {
    /// Open files by number; see `wit/files.wit`. A file is open until it is closed, whoever asks meanwhile.
    Files {
        /// Opens the file at `path`, of at most 1 MiB as all text of a call.
        fn open(path: String, flags: OpenFlags) -> Result<i64, Refusal<Errno>>;

        /// Forgets the number, and closes the file.
        fn close(handle: i64) -> Result<(), Refusal<FileError>>;

        /// Reads up to `count` bytes, at most 64 KiB.
        fn read(handle: i64, count: u32) -> Result<Chunk, Refusal<FileError>>;

        /// Writes all of `data`.
        fn write(handle: i64, data: Vec<u8>) -> Result<(), Refusal<FileError>>;

        /// Moves the position; gives the new one, in bytes from the start.
        fn seek(handle: i64, offset: i64, whence: Whence) -> Result<u64, Refusal<FileError>>;

        /// Looks the number up.
        fn flush(handle: i64) -> Result<(), Refusal<FileError>>;
    }
}
