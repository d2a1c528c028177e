//! Clients of a vsock socket whom the owner did not name.

use bulkhead_config::VsockPeers;
use bulkhead_sys::socket;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How often a refused client is told of. It bounds what somebody who goes on connecting writes to the owner's disk: one
/// line in this time, with the number of the others. An owner who looks for the reason sees the first at once.
const PERIOD: Duration = Duration::from_secs(60);

/// Who may connect, and who was refused.
#[derive(Debug)]
pub(super) struct Strangers {
    peers: VsockPeers,
    told: Option<Instant>,
    untold: u64,
}

impl Strangers {
    /// Whoever is not one of `peers` is a stranger.
    pub(super) fn new(peers: VsockPeers) -> Self {
        Strangers { peers, told: None, untold: 0 }
    }

    /// Whether the client may stay. One that may not is told of.
    pub(super) fn admit(&mut self, client: &OwnedFd) -> bool {
        match socket::vsock_peer(client) {
            Ok(peer) if self.peers.permit(peer) => true,
            Ok(peer) => {
                if let Some(line) = self.refuse(peer, Instant::now()) {
                    tracing::warn!("{line}");
                }
                false
            }
            Err(errno) => {
                tracing::debug!("a vsock client that cannot be told: {errno}");
                false
            }
        }
    }

    /// What is said of a refused client, if anything.
    fn refuse(&mut self, peer: u32, now: Instant) -> Option<String> {
        if self.told.is_some_and(|told| now.saturating_duration_since(told) < PERIOD) {
            self.untold += 1;
            return None;
        }
        let others = match std::mem::take(&mut self.untold) {
            0 => String::new(),
            others => format!(", and {others} more since the last line"),
        };
        self.told = Some(now);
        Some(format!("a client from vsock context id {peer} was refused{others}: vsock-peers has {}", self.peers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_goes_on_connecting_does_not_fill_the_log() {
        let (mut strangers, begin) = (Strangers::new(VsockPeers::default()), Instant::now());
        let said = strangers.refuse(3, begin);
        assert_eq!(said.unwrap(), "a client from vsock context id 3 was refused: vsock-peers has 2");
        assert!((0..1000).all(|_| strangers.refuse(4, begin + PERIOD / 2).is_none()));
        let said = strangers.refuse(1, begin + PERIOD).unwrap();
        let expected =
            "a client from vsock context id 1 was refused, and 1000 more since the last line: vsock-peers has 2";
        assert_eq!(said, expected);
        assert!(strangers.refuse(1, begin + PERIOD).is_none());
    }

    #[test]
    fn who_cannot_be_told_is_a_stranger() {
        let (client, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        assert!(!Strangers::new(VsockPeers::Any).admit(&client.into()));
    }
}
