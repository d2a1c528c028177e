//! `processes`: programs that run on their own.

use crate::{Errno, Refusal};

/// A program to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its path, or a name that is searched.
    pub path: Vec<u8>,
    /// Its arguments, without its own name. Never logged: they may hold secrets.
    pub arguments: Vec<Vec<u8>>,
    /// Its whole environment as NAME=VALUE. Never logged either.
    pub environment: Option<Vec<Vec<u8>>>,
    /// Whether what was given as input is its standard input.
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

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this exit status.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

/// What there is to know of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How it ended; nothing while it runs, or while somebody could print into a stream of it that is captured.
    pub ending: Option<Ending>,
    /// Its standard output so far.
    pub stdout: Captured,
    /// Its standard error so far.
    pub stderr: Captured,
}

/// How much of a stream is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Captured {
    /// In bytes.
    pub length: usize,
    /// Whether there was more.
    pub truncated: bool,
}

/// One of a program's streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

interface! {
    /// Programs that run on their own; see `wit/processes.wit`. A program is known until it is forgotten, whoever asks meanwhile.
    Processes {
        /// Adds to the standard input of the program that this request will start.
        fn add_input(data: Vec<u8>) -> Result<(), Errno>;

        /// Starts a program; gives the number by which clients know it.
        fn start(program: Program) -> Result<i64, Refusal<Errno>>;

        /// How it is going; nothing if no program of this module has the number.
        fn status(handle: i64) -> Option<Progress>;

        /// Bytes `offset ..< offset + length` of a stream, at most 64 KiB; nothing if no program has the number.
        fn read_output(handle: i64, which: Which, offset: u64, length: u32) -> Option<Vec<u8>>;

        /// Forgets a program that is over; false if none has the number.
        fn forget(handle: i64) -> bool;
    }
}
