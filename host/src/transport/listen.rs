//! Listening sockets: `unix-listen` and `vsock-listen`. One client is served at a time; the next one waits, connected,
//! until the first has left.

use super::strangers::Strangers;
use super::{Channel, TransportError};
use bulkhead_config::VsockPeers;
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
    /// Of a vsock socket.
    strangers: Option<Strangers>,
    watch: Option<Watch>,
    client: Option<Channel>,
}

impl Listener {
    fn new(socket: OwnedFd, strangers: Option<Strangers>) -> Self {
        Listener { socket, strangers, watch: None, client: None }
    }

    /// On a unix socket at `path`.
    pub(super) fn unix(path: &str) -> Result<Self, TransportError> {
        let bind = |errno: Errno| TransportError::Bind { address: path.to_owned(), source: errno.into() };
        let socket = socket::listen_unix(Path::new(path)).map_err(bind)?;
        Ok(Self::new(socket, None))
    }

    /// On a vsock address `CID:PORT`, for the clients of `peers`.
    pub(super) fn vsock(address: &str, peers: VsockPeers) -> Result<Self, TransportError> {
        let bind = |errno: Errno| TransportError::Bind { address: address.to_owned(), source: errno.into() };
        let (cid, port) = vsock_address(address).ok_or_else(|| TransportError::Address(address.to_owned()))?;
        let socket = socket::listen_vsock(cid, port).map_err(bind)?;
        Ok(Self::new(socket, Some(Strangers::new(peers))))
    }

    /// On the socket that the service manager passed; if it is a vsock socket, for the clients of `peers`.
    pub(super) fn inherited(peers: VsockPeers) -> Result<Self, TransportError> {
        let failed = |errno: Errno| TransportError::Inherited(errno.into());
        let socket = socket::inherited().map_err(failed)?;
        let strangers = socket::is_vsock(&socket).map_err(failed)?.then(|| Strangers::new(peers));
        Ok(Self::new(socket, strangers))
    }

    pub(super) async fn client(&mut self) -> io::Result<&mut Channel> {
        if self.watch.is_none() {
            self.watch = Some(Watch::new(&self.socket)?);
        }
        loop {
            match socket::accept(&self.socket) {
                Ok(client) if self.strangers.as_mut().is_some_and(|strangers| !strangers.admit(&client)) => {
                    drop(client);
                    // One who connects without pause must not keep the agent from hearing others.
                    tokio::task::yield_now().await;
                }
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
