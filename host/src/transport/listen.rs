//! Listening sockets: `unix-listen` and `vsock-listen`. One client is served at a time; the next one waits, connected,
//! until the first has left.

use super::{Channel, TransportError};
use bulkhead_config::VsockPeers;
use bulkhead_os::{Errno, socket};
use bulkhead_watch::Watch;
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
    /// Who may connect, to a vsock socket.
    peers: Option<VsockPeers>,
    watch: Option<Watch>,
    client: Option<Channel>,
}

impl Listener {
    fn new(socket: OwnedFd, peers: Option<VsockPeers>) -> Self {
        Listener { socket, peers, watch: None, client: None }
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
        Ok(Self::new(socket, Some(peers)))
    }

    /// On the socket that the service manager passed; if it is a vsock socket, for the clients of `peers`.
    pub(super) fn inherited(peers: VsockPeers) -> Result<Self, TransportError> {
        let failed = |errno: Errno| TransportError::Inherited(errno.into());
        let socket = socket::inherited().map_err(failed)?;
        let peers = socket::is_vsock(&socket).map_err(failed)?.then_some(peers);
        Ok(Self::new(socket, peers))
    }

    pub(super) async fn client(&mut self) -> io::Result<&mut Channel> {
        if self.watch.is_none() {
            self.watch = Some(Watch::new(&self.socket)?);
        }
        loop {
            match socket::accept(&self.socket) {
                Ok(client) if self.peers.as_ref().is_some_and(|peers| !admits(peers, &client)) => {
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

/// Whether the client may stay. The owner is told of one that may not; how often, the log decides.
fn admits(peers: &VsockPeers, client: &OwnedFd) -> bool {
    match socket::vsock_peer(client) {
        Ok(peer) if peers.permit(peer) => true,
        Ok(peer) => {
            tracing::warn!("a client from vsock context id {peer} was refused: vsock-peers has {peers}");
            false
        }
        Err(errno) => {
            tracing::debug!("a vsock client that cannot be told: {errno}");
            false
        }
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

    #[test]
    fn who_cannot_be_told_is_not_let_in() {
        let (client, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        assert!(!admits(&VsockPeers::Any, &client.into()));
    }
}
