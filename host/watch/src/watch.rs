//! Waiting for a descriptor to change.

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Tells when something about a descriptor has changed since it was asked last.
///
/// A virtio-serial port whose host side is closed is "hung up" for as long as that lasts, and tokio, once it has seen a
/// descriptor hang up, reports it as ready for ever: a busy loop. What helps is an epoll instance that reports changes
/// only (edge-triggered), watched by tokio in the descriptor's place. It says nothing while nothing happens, so an
/// agent without a host makes no wake-ups.
#[derive(Debug)]
pub struct Watch(AsyncFd<Changes>);

#[derive(Debug)]
struct Changes(Epoll);

impl AsRawFd for Changes {
    fn as_raw_fd(&self) -> RawFd {
        self.0.0.as_raw_fd()
    }
}

const READABLE: EpollFlags = EpollFlags::EPOLLIN.union(EpollFlags::EPOLLRDHUP).union(EpollFlags::EPOLLET);

impl Watch {
    /// Watches `fd` for something to read and for hang-ups. Needs tokio's context.
    pub fn new(fd: impl AsFd) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(fd, EpollEvent::new(READABLE, 0))?;
        // SAFETY: `Changes` owns the epoll descriptor, is owned by the `AsyncFd`, and has no way to close or replace it.
        #[expect(unsafe_code, reason = "tokio cannot know whether as_raw_fd always gives the same open descriptor")]
        let watched = unsafe { AsyncFd::register_with_interest(Changes(epoll), Interest::READABLE) }?;
        Ok(Watch(watched))
    }

    /// Waits for room to write, or another change, of the `fd` that is watched.
    pub async fn room(&self, fd: impl AsFd) -> io::Result<()> {
        self.want_room(&fd, true)?;
        let changed = self.changed().await;
        self.want_room(fd, false)?;
        changed
    }

    /// Also watches for room to write, or no longer. Room that is there already counts as a change.
    pub fn want_room(&self, fd: impl AsFd, wanted: bool) -> io::Result<()> {
        let events = if wanted { READABLE | EpollFlags::EPOLLOUT } else { READABLE };
        Ok(self.0.get_ref().0.modify(fd, &mut EpollEvent::new(events, 0))?)
    }

    /// Waits for a change.
    pub async fn changed(&self) -> io::Result<()> {
        loop {
            let mut ready = self.0.readable().await?;
            let changes = ready.get_inner().0.wait(&mut [EpollEvent::empty()], EpollTimeout::ZERO);
            ready.clear_ready();
            match changes {
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}
