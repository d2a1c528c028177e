//! Listening sockets: `unix-listen` and `vsock-listen`. One client is served at a time; the next one waits, connected,
//! until the first has left.

use super::{Channel, TransportError};
use bulkhead_sys::{Errno, Watch, socket};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

/// How long to wait when the system has no descriptor or memory left for a client that is there.
const SHORTAGE: Duration = Duration::from_secs(1);

/// A listening socket and the client it serves.
#[derive(Debug)]
pub(super) struct Listener {
    socket: OwnedFd,
    watch: Option<Watch>,
    client: Option<Channel>,
}

impl Listener {
    fn new(socket: OwnedFd) -> Self {
        Listener { socket, watch: None, client: None }
    }

    /// On a unix socket at `path`.
    pub(super) fn unix(path: &str) -> Result<Self, TransportError> {
        let bind = |errno: Errno| TransportError::Bind { address: path.to_owned(), source: errno.into() };
        socket::listen_unix(Path::new(path)).map(Self::new).map_err(bind)
    }

    /// On a vsock address `CID:PORT`.
    pub(super) fn vsock(address: &str) -> Result<Self, TransportError> {
        let bind = |errno: Errno| TransportError::Bind { address: address.to_owned(), source: errno.into() };
        let (cid, port) = vsock_address(address).ok_or_else(|| TransportError::Address(address.to_owned()))?;
        socket::listen_vsock(cid, port).map(Self::new).map_err(bind)
    }

    /// On the socket that the service manager passed.
    pub(super) fn inherited() -> Result<Self, TransportError> {
        socket::inherited().map(Self::new).map_err(|errno| TransportError::Inherited(errno.into()))
    }

    pub(super) async fn client(&mut self) -> io::Result<&mut Channel> {
        if self.watch.is_none() {
            self.watch = Some(Watch::new(&self.socket)?);
        }
        loop {
            match socket::accept(&self.socket) {
                Ok(client) => return Ok(self.client.insert(Channel::over_socket(client)?)),
                Err(Errno::EAGAIN) => {
                    if let Some(watch) = &self.watch {
                        watch.changed().await?;
                    }
                }
                // The client was gone before it was taken.
                Err(Errno::EINTR | Errno::ECONNABORTED) => {}
                Err(errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM)) => {
                    tracing::warn!("cannot accept a client: {errno}; trying again in {} s", SHORTAGE.as_secs());
                    tokio::time::sleep(SHORTAGE).await;
                }
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    pub(super) fn left(&mut self) {
        self.client = None;
    }
}

fn vsock_address(address: &str) -> Option<(u32, u32)> {
    let (cid, port) = address.split_once(':')?;
    Some((cid.parse().ok()?, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vsock_address_is_two_numbers() {
        assert_eq!(vsock_address("3:1024"), Some((3, 1024)));
        assert_eq!(vsock_address("4294967295:9999"), Some((u32::MAX, 9999)));
        for wrong in ["", "3", "3:", ":3", "3:99999999999", "a:b", "1:2:3"] {
            assert_eq!(vsock_address(wrong), None, "{wrong}");
        }
    }
}
