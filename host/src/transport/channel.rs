//! A channel: an open connection to a client.

use bulkhead_os::Errno;
use bulkhead_watch::{SocketWatch, Watch};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{read, write};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long bytes may be ahead of the notice that a client has connected.
///
/// A virtio port carries both, but on different queues: a client's first bytes can be read while the port still says
/// that nobody is there, and would then take no reply. The notice follows at once on a machine that is not busy.
/// What it costs: a client that really left without reading its reply holds the agent for this long.
const NOTICE: Duration = Duration::from_secs(1);

/// A socket that gave fewer bytes than this had no more: most requests are small and come alone. Behind a piece of something large there
/// is often more by the time it has been looked at.
const SMALL: usize = 4096;

/// How long the next request of a client on a socket is looked for, once it has its answer, before the agent goes to sleep: a
/// client that asks again at once has done so by then, and need not wake it. It costs at most this much of the processor behind an
/// answer, and offers it to others meanwhile (sched_yield).
const AWAKE: Duration = Duration::from_micros(50);

/// A byte stream that never blocks the agent.
#[derive(Debug)]
pub struct Channel {
    fd: OwnedFd,
    watch: Kind,
    /// Whether anything was ever read from it.
    used: bool,
    next: Next,
    /// Whether the other end's coming is told by a notice of its own.
    notices: bool,
    /// What is known of the client.
    client: Client,
}

/// What is known of the bytes that come next.
#[derive(Debug)]
enum Next {
    /// Nothing.
    Unknown,
    /// The last read has probably taken all there was; what comes is told.
    Told,
    /// The client will probably send something, and is heard without sleep until then.
    Soon(Instant),
}

/// What kind of thing it goes over, and what tells of its changes.
#[derive(Debug)]
enum Kind {
    /// There is one, and clients come and go.
    Port(Watch),
    /// A client's own.
    Socket(SocketWatch),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    /// Nothing.
    Expected,
    /// It sent bytes, and the port does not know yet that it is there.
    Ahead,
    /// It is there.
    Connected,
}

impl Channel {
    /// Over a socket that does not block, with the client at its other end. Needs tokio's context.
    pub(super) fn over_socket(fd: OwnedFd) -> io::Result<Self> {
        let watch = Kind::Socket(SocketWatch::new(&fd)?);
        Ok(Self::new(fd, watch))
    }

    /// Over a terminal line that does not block, with the client at its other end. Needs tokio's context.
    pub(super) fn over_terminal_line(fd: OwnedFd) -> io::Result<Self> {
        let watch = Kind::Port(Watch::new(&fd)?);
        Ok(Self::new(fd, watch))
    }

    /// Over a virtio port, where clients come and go. Needs tokio's context.
    pub(super) fn over_virtio_port(fd: OwnedFd) -> io::Result<Self> {
        Ok(Channel { notices: true, client: Client::Expected, ..Self::over_terminal_line(fd)? })
    }

    fn new(fd: OwnedFd, watch: Kind) -> Self {
        Channel { fd, watch, used: false, next: Next::Unknown, notices: false, client: Client::Connected }
    }

    /// Waits until something happens on it, after its client has left.
    pub(super) async fn next_client(&mut self) -> io::Result<()> {
        if self.notices {
            self.client = Client::Expected;
        }
        self.changed().await
    }

    /// Whether anything was ever read from it.
    pub(super) fn was_used(&self) -> bool {
        self.used
    }

    /// Waits for bytes; 0 means that the client has left.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if matches!(self.next, Next::Told) {
                self.next = Next::Unknown;
                self.changed().await?;
            }
            match read(&self.fd, buffer) {
                Ok(0) if self.client == Client::Ahead && self.connects().await? => {}
                Ok(0) | Err(Errno::ECONNRESET) => return Ok(0),
                Ok(count) => {
                    self.used = true;
                    self.next = match self.watch {
                        Kind::Socket(_) if count < SMALL => Next::Told,
                        _ => Next::Unknown,
                    };
                    if self.client != Client::Connected {
                        self.client = if self.has_hung_up() { Client::Ahead } else { Client::Connected };
                    }
                    return Ok(count);
                }
                Err(Errno::EAGAIN) => match self.next {
                    Next::Soon(end) if Instant::now() < end => std::thread::yield_now(),
                    _ => self.next = Next::Told,
                },
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// The client will probably send something soon: it is heard for `time` without sleep, if what it sent last was no small piece and
    /// it is at the other end of a socket.
    pub fn stay_awake(&mut self, time: Duration) {
        if matches!((&self.watch, &self.next), (Kind::Socket(_), Next::Unknown)) {
            self.next = Next::Soon(Instant::now() + time);
        }
    }

    /// Writes all of it, waiting as long as the client takes to read; false if the client leaves instead.
    pub async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<bool> {
        while !bytes.is_empty() {
            match write(&self.fd, bytes) {
                Ok(count) => bytes = &bytes[count..],
                // A port with nobody at the other end takes nothing, and says so in the same way as a slow reader.
                Err(Errno::EAGAIN) if self.has_nobody() => {
                    if !self.notices || !self.connects().await? {
                        return Ok(false);
                    }
                }
                Err(Errno::EAGAIN) => self.room().await?,
                Err(Errno::EINTR) => {}
                Err(Errno::EPIPE | Errno::ECONNRESET) => return Ok(false),
                Err(errno) => return Err(errno.into()),
            }
        }
        self.next = Next::Unknown;
        self.stay_awake(AWAKE);
        Ok(true)
    }

    async fn changed(&self) -> io::Result<()> {
        match &self.watch {
            Kind::Port(watch) => watch.changed().await,
            Kind::Socket(watch) => watch.changed().await,
        }
    }

    /// Waits for room to write, or for the client to leave.
    async fn room(&self) -> io::Result<()> {
        match &self.watch {
            Kind::Port(watch) => watch.room(&self.fd).await,
            Kind::Socket(watch) => watch.room().await,
        }
    }

    /// Waits for the notice that a client is there; false if it does not come.
    async fn connects(&mut self) -> io::Result<bool> {
        let notice = async {
            while self.has_hung_up() {
                // A client that connects makes room, which is the change to wait for.
                self.room().await?;
            }
            Ok(())
        };
        match timeout(NOTICE, notice).await {
            Ok(noticed) => {
                self.client = Client::Connected;
                noticed.map(|()| true)
            }
            Err(_) => {
                if let Kind::Port(watch) = &self.watch {
                    watch.want_room(&self.fd, false)?;
                }
                Ok(false)
            }
        }
    }

    /// Whether what takes no bytes is a port with nobody at its other end. A socket says so by itself when it is written to.
    fn has_nobody(&self) -> bool {
        matches!(self.watch, Kind::Port(_)) && self.has_hung_up()
    }

    fn has_hung_up(&self) -> bool {
        let mut state = [PollFd::new(self.fd.as_fd(), PollFlags::empty())];
        poll(&mut state, PollTimeout::ZERO).is_ok_and(|changed| changed > 0)
    }
}
