//! A channel: an open connection to a client.

use bulkhead_sys::Watch;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{read, write};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// A byte stream that never blocks the agent.
#[derive(Debug)]
pub struct Channel {
    fd: OwnedFd,
    watch: Watch,
    used: bool,
}

impl Channel {
    /// Over a descriptor that is open without blocking. Needs tokio's context.
    pub(super) fn new(fd: OwnedFd) -> io::Result<Self> {
        let watch = Watch::new(&fd)?;
        Ok(Channel { fd, watch, used: false })
    }

    /// Waits for something to happen on it.
    pub(super) async fn changed(&self) -> io::Result<()> {
        self.watch.changed().await
    }

    /// Whether anything was ever read from it.
    pub(super) fn was_used(&self) -> bool {
        self.used
    }

    /// Waits for bytes; 0 means that the client has left.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match read(&self.fd, buffer) {
                Ok(count) => {
                    self.used |= count > 0;
                    return Ok(count);
                }
                Err(Errno::EAGAIN) => self.watch.changed().await?,
                Err(Errno::EINTR) => {}
                Err(Errno::ECONNRESET) => return Ok(0),
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Writes all of it, waiting as long as the client takes to read; false if the client leaves instead.
    pub async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<bool> {
        let mut waiting = false;
        let written = loop {
            if bytes.is_empty() {
                break true;
            }
            match write(&self.fd, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::EAGAIN) => {
                    // A port with nobody at the other end takes nothing, and says so in the same way as a slow reader.
                    if self.has_hung_up() {
                        break false;
                    }
                    if !waiting {
                        waiting = true;
                        self.watch.want_room(&self.fd, true)?;
                    }
                    self.watch.changed().await?;
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EPIPE | Errno::ECONNRESET) => break false,
                Err(errno) => return Err(errno.into()),
            }
        };
        if waiting {
            self.watch.want_room(&self.fd, false)?;
        }
        Ok(written)
    }

    fn has_hung_up(&self) -> bool {
        let mut state = [PollFd::new(self.fd.as_fd(), PollFlags::empty())];
        poll(&mut state, PollTimeout::ZERO).is_ok_and(|changed| changed > 0)
    }
}
