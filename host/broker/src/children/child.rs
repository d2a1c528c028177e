//! One program that was started: its pipes, what came out of them, and its end.

use super::pieces::Pieces;
use bulkhead_border::Errno;
use bulkhead_border::processes::Ending;
use bulkhead_gate::{ChildNumber, Gate};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::time::Instant;

/// How much of one stream is kept, in bytes: 16 MiB, as in qemu-ga. It bounds what a program that never stops printing costs,
/// and keeps a reply with two streams in base64 near 43 MiB. What comes after it is lost, and the client is told.
pub const STREAM: usize = 16 * 1024 * 1024;

/// How often a pipe is read, or written to, before somebody else has a turn. A program that prints faster than it is read
/// would otherwise keep the agent from its clients.
const TURNS: usize = 4;

/// A program that was started.
#[derive(Debug)]
pub(super) struct Child {
    /// By which the gate knows it.
    pub(super) number: ChildNumber,
    /// The module that started it.
    pub(super) module: &'static str,
    pub(super) input: Option<Input>,
    pub(super) stdout: Stream,
    pub(super) stderr: Stream,
    /// When it has to be over, if a rule says so.
    pub(super) deadline: Option<Instant>,
    /// How much may be held of all programs before this one's output is lost, in bytes.
    pub(super) most: usize,
    /// Whether it leads a group of its own: then it takes along all that is in it.
    pub(super) leads_group: bool,
    /// How the program itself ended, once it was waited for.
    pub(super) ending: Option<Ending>,
    /// The place in the order in which programs were over.
    pub(super) over: Option<u64>,
}

/// What a program has not read yet of its standard input.
#[derive(Debug)]
pub(super) struct Input {
    pipe: File,
    bytes: Pieces,
}

/// What a program prints.
#[derive(Debug)]
pub(super) struct Stream {
    /// Open until its end is met; none if nothing is captured.
    pub(super) pipe: Option<File>,
    pub(super) kept: Pieces,
    pub(super) truncated: bool,
    /// How much is kept at most, in bytes; never more than [`STREAM`].
    limit: usize,
}

impl Child {
    /// Moves what can be moved without waiting: input to the program, output from it. `room` is how much output may still be
    /// kept of all programs together.
    pub(super) fn pump(&mut self, buffer: &mut [u8], room: &mut usize) {
        self.stdout.drain(buffer, room);
        self.stderr.drain(buffer, room);
        self.input.take_if(Input::feed);
    }

    /// Waits for the program, without waiting long, if it was not waited for yet. `pid` is for the log.
    pub(super) fn reap(&mut self, gate: &Gate, pid: i32) {
        if self.ending.is_some() {
            return;
        }
        if self.leads_group {
            match gate.has_ended(self.number) {
                // It may end this very moment; then it is reaped next time, and its group ended before.
                Ok(false) => return,
                // As long as it is not reaped the group is certainly its own.
                Ok(true) => self.end(gate, pid),
                Err(errno) => tracing::debug!("cannot look at process {pid}: {errno}"),
            }
        }
        match gate.reap(self.number) {
            Ok(ending) => self.ending = ending,
            Err(Errno::EINTR) => {}
            Err(errno) => {
                tracing::error!("cannot learn how process {pid} ended: {errno}");
                self.ending = Some(Ending::Exited(255));
            }
        }
    }

    /// Kills it, unless it has ended already, and all that is left in its group. To be called before it is reaped.
    pub(super) fn end(&mut self, gate: &Gate, pid: i32) {
        self.deadline = None;
        if let Err(errno) = gate.end_group(self.number) {
            tracing::warn!("cannot end the process group {pid}: {errno}");
        }
    }

    /// When it has to be over, while it is not known to be.
    pub(super) fn running_until(&self) -> Option<Instant> {
        self.deadline.filter(|_| self.ending.is_none())
    }

    /// Whether it has ended and nobody can print into a captured stream any more.
    pub(super) fn is_over(&self) -> bool {
        self.ending.is_some() && self.stdout.pipe.is_none() && self.stderr.pipe.is_none()
    }

    /// How much of it is held, in bytes: output that is kept, and input that it has not read.
    pub(super) fn held(&self) -> usize {
        self.stdout.kept.len() + self.stderr.kept.len() + self.input.as_ref().map_or(0, Input::waiting)
    }
}

impl Input {
    pub(super) fn new(pipe: OwnedFd, bytes: Pieces) -> Self {
        Input { pipe: File::from(pipe), bytes }
    }

    /// Where it goes.
    pub(super) fn pipe(&self) -> &File {
        &self.pipe
    }

    /// How much the program has not read.
    pub(super) fn waiting(&self) -> usize {
        self.bytes.len()
    }

    /// Writes what fits; true if there is nothing more to do. That the program does not want to read is its own affair.
    fn feed(&mut self) -> bool {
        for _ in 0..TURNS {
            if self.bytes.is_empty() {
                return true;
            }
            match self.pipe.write(self.bytes.front()) {
                Ok(count) => self.bytes.advance(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
        self.bytes.is_empty()
    }
}

impl Stream {
    pub(super) fn new(pipe: Option<OwnedFd>, limit: usize) -> Self {
        Stream { pipe: pipe.map(File::from), kept: Pieces::default(), truncated: false, limit: limit.min(STREAM) }
    }

    /// Reads what is there.
    fn drain(&mut self, buffer: &mut [u8], room: &mut usize) {
        for _ in 0..TURNS {
            let Some(pipe) = &mut self.pipe else { return };
            match pipe.read(buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.keep(&buffer[..count], room),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.pipe = None,
            }
        }
    }

    /// Keeps what there is room for. Nothing is kept behind something that was not: the client gets the stream's beginning
    /// and no patchwork.
    fn keep(&mut self, bytes: &[u8], room: &mut usize) {
        let free = if self.truncated { 0 } else { (*room).min(self.limit - self.kept.len()) };
        let (kept, lost) = bytes.split_at(bytes.len().min(free));
        self.kept.append(kept);
        *room -= kept.len();
        self.truncated |= !lost.is_empty();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_limit_is_not_truncated() {
        let (mut stream, mut room) = (Stream::new(None, STREAM), usize::MAX);
        let mebibyte = vec![b'x'; 1 << 20];
        (0..16).for_each(|_| stream.keep(&mebibyte, &mut room));
        assert_eq!((stream.kept.len(), stream.truncated), (STREAM, false));
        stream.keep(b"y", &mut room);
        assert_eq!((stream.kept.len(), stream.truncated), (STREAM, true));
    }

    #[test]
    fn a_rule_makes_the_limit_smaller_and_not_larger() {
        let (mut stream, mut room) = (Stream::new(None, 3), usize::MAX);
        stream.keep(b"abc", &mut room);
        assert!(!stream.truncated);
        stream.keep(b"d", &mut room);
        assert_eq!((stream.kept.read(0, 100), stream.truncated), (b"abc".to_vec(), true));
        assert_eq!(Stream::new(None, usize::MAX).limit, STREAM);
    }

    #[test]
    fn nothing_is_kept_behind_a_gap() {
        let (mut stream, mut room) = (Stream::new(None, STREAM), 3);
        stream.keep(b"abcde", &mut room);
        assert_eq!((room, stream.truncated), (0, true));
        room = 100;
        stream.keep(b"f", &mut room);
        assert_eq!((stream.kept.read(0, 100), room), (b"abc".to_vec(), 100));
    }
}
