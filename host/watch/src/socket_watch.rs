//! Waiting for a connected socket.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Tells when a socket has something to read, and when it has room to write.
///
/// A socket that was hung up is of no more use, so tokio may watch it itself: one system call less for each request than with
/// a [`Watch`](crate::Watch). Room is watched only while it is waited for, for a client that reads makes room all the time.
#[derive(Debug)]
pub struct SocketWatch(AsyncFd<OwnedFd>);

impl SocketWatch {
    /// Watches what `socket` is open for, by a descriptor of its own. Needs tokio's context.
    pub fn new(socket: &OwnedFd) -> io::Result<Self> {
        watched(socket, Interest::READABLE).map(SocketWatch)
    }

    /// Waits until there is something that this was not told of yet: bytes, or that the other end has left. That it has left it
    /// tells every time.
    pub async fn changed(&self) -> io::Result<()> {
        self.0.readable().await?.clear_ready();
        Ok(())
    }

    /// Waits until there is room to write, or nobody left who would read.
    pub async fn room(&self) -> io::Result<()> {
        watched(self.0.get_ref(), Interest::WRITABLE)?.writable().await.map(drop)
    }
}

fn watched(socket: impl AsFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    let own = socket.as_fd().try_clone_to_owned()?;
    // SAFETY: an `OwnedFd` gives the same open descriptor until it is dropped, and the `AsyncFd` owns it.
    #[expect(unsafe_code, reason = "tokio cannot know whether as_raw_fd always gives the same open descriptor")]
    Ok(unsafe { AsyncFd::register_with_interest(own, interest) }?)
}
