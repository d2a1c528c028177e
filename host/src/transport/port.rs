//! Ports: `virtio-serial` and `isa-serial`. There is one line, and clients come and go at its other end.

use super::{Channel, TransportError};
use bulkhead_config::Method;
use bulkhead_os::{Errno, serial};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

/// A device, and the channel over it.
#[derive(Debug)]
pub(super) struct Port {
    method: Method,
    path: PathBuf,
    /// Opened, and not yet a channel: that needs tokio's context.
    opened: Option<OwnedFd>,
    channel: Option<Channel>,
    /// Whether the last client has left, so that the next one is something to wait for.
    left: bool,
    pause: Pause,
}

/// How long to wait before a terminal line that keeps hanging up is opened again.
#[derive(Debug)]
struct Pause(Duration);

impl Pause {
    const SHORTEST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(5);

    fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(Self::LONGEST);
        now
    }
}

impl Port {
    pub(super) fn open(method: Method, path: PathBuf) -> Result<Self, TransportError> {
        let pause = Pause(Pause::SHORTEST);
        let mut port = Port { method, path, opened: None, channel: None, left: false, pause };
        port.reopen()?;
        Ok(port)
    }

    pub(super) fn reopen(&mut self) -> Result<(), TransportError> {
        // A virtio port can be open once, so the old descriptor has to go first.
        self.channel = None;
        self.opened = None;
        self.left = false;
        let opened = match self.method {
            Method::IsaSerial => serial::open_terminal_line(&self.path),
            _ => serial::open_virtio_port(&self.path),
        };
        let error = |errno: Errno| TransportError::Open { path: self.path.clone(), source: errno.into() };
        self.opened = Some(opened.map_err(error)?);
        Ok(())
    }

    pub(super) async fn client(&mut self) -> io::Result<&mut Channel> {
        if self.method == Method::IsaSerial && std::mem::take(&mut self.left) {
            if self.channel.as_ref().is_some_and(Channel::was_used) {
                self.pause = Pause(Pause::SHORTEST);
            }
            self.hang_up().await;
        }
        let channel = match self.opened.take() {
            Some(opened) if self.method == Method::IsaSerial => {
                self.channel.insert(Channel::over_terminal_line(opened)?)
            }
            Some(opened) => self.channel.insert(Channel::over_virtio_port(opened)?),
            None => self.channel.as_mut().ok_or(io::ErrorKind::NotConnected)?,
        };
        if std::mem::take(&mut self.left) {
            channel.next_client().await?;
        }
        Ok(channel)
    }

    /// A virtio port tells when a client comes back, on the same descriptor. A terminal line that was hung up is of no
    /// more use and is opened again, with growing pauses while nobody is there.
    async fn hang_up(&mut self) {
        loop {
            tokio::time::sleep(self.pause.next()).await;
            match self.reopen() {
                Ok(()) => return,
                Err(error) => tracing::debug!("{error}: trying again"),
            }
        }
    }

    pub(super) fn left(&mut self) {
        self.left = true;
    }

    pub(super) fn survives_errors(&self) -> bool {
        self.method == Method::IsaSerial
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_seconds() {
        let mut pause = Pause(Pause::SHORTEST);
        let pauses: Vec<_> = (0..8).map(|_| pause.next().as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }
}
