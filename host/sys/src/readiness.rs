//! Waiting for many descriptors at once.

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// How many ready descriptors are told of at once. The rest is told of with the next call; in between the caller can do
/// other things.
const AT_ONCE: usize = 16;

/// A set of descriptors, each with the number of its owner, that tells which are ready. A descriptor leaves the set when it
/// is closed. The set itself is readable while one of its descriptors is ready, so that it can be watched in their place
/// ([`crate::Watch`]).
#[derive(Debug)]
pub struct Readiness(Epoll);

/// What a descriptor should be ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Something to read, or the end.
    Input,
    /// Room to write, or nobody left who would read.
    Room,
}

impl Readiness {
    /// An empty set.
    pub fn new() -> io::Result<Self> {
        Ok(Readiness(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?))
    }

    /// Adds a descriptor of `owner`.
    pub fn add(&self, fd: impl AsFd, wanted: Wanted, owner: u64) -> io::Result<()> {
        let events = match wanted {
            Wanted::Input => EpollFlags::EPOLLIN,
            Wanted::Room => EpollFlags::EPOLLOUT,
        };
        Ok(self.0.add(fd, EpollEvent::new(events, owner))?)
    }

    /// The owners of descriptors that are ready now; one stands here for each of its descriptors. Does not wait.
    pub fn owners(&self) -> Vec<u64> {
        let mut events = [EpollEvent::empty(); AT_ONCE];
        // It fails only if a signal comes while it waits.
        let count = self.0.wait(&mut events, EpollTimeout::ZERO).unwrap_or_default();
        events[..count].iter().map(EpollEvent::data).collect()
    }
}

impl AsFd for Readiness {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn a_descriptor_is_told_of_while_it_is_ready() {
        let set = Readiness::new().unwrap();
        let (mut reader, mut writer) = io::pipe().unwrap();
        set.add(&reader, Wanted::Input, 7).unwrap();
        set.add(&writer, Wanted::Room, 8).unwrap();
        assert_eq!(set.owners(), [8]);
        writer.write_all(b"x").unwrap();
        assert_eq!(set.owners(), [8, 7]);
        reader.read_exact(&mut [0]).unwrap();
        assert_eq!(set.owners(), [8]);
        drop(writer);
        assert_eq!(set.owners(), [7], "the end is something to read; what is closed has left");
        drop(reader);
        assert_eq!(set.owners(), [0_u64; 0]);
    }

    #[test]
    fn nobody_who_reads_is_told_of_too() {
        let set = Readiness::new().unwrap();
        let (reader, writer) = io::pipe().unwrap();
        set.add(&writer, Wanted::Room, 1).unwrap();
        drop(reader);
        assert_eq!(set.owners(), [1]);
    }
}
