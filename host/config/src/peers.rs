//! Who may connect to a vsock socket.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// The host, `VMADDR_CID_HOST` in vsock(7).
const HOST: u32 = 2;

/// The VM itself, `VMADDR_CID_LOCAL`: what comes over the loopback has this address, whatever address it was sent to.
const LOCAL: u32 = 1;

/// No machine's address: `VMADDR_CID_ANY`.
const NOBODY: u32 = u32::MAX;

/// Who may connect to a vsock socket: machines, by their context ids (vsock(7)).
///
/// A socket that listens on any address hears more than the host: processes of the VM itself where the kernel has the
/// loopback, VMs that run inside of this one, and other VMs where the hypervisor connects them. The kernel tells who it
/// is, and the other end cannot choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VsockPeers {
    /// Everybody.
    Any,
    /// These machines, at least one.
    These(Vec<u32>),
}

impl VsockPeers {
    /// Whether the machine with this context id may connect.
    pub fn permit(&self, peer: u32) -> bool {
        match self {
            VsockPeers::Any => true,
            VsockPeers::These(peers) => peers.contains(&peer),
        }
    }
}

/// The host alone.
impl Default for VsockPeers {
    fn default() -> Self {
        VsockPeers::These(vec![HOST])
    }
}

impl fmt::Display for VsockPeers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VsockPeers::Any => f.write_str("any"),
            VsockPeers::These(peers) => {
                let texts: Vec<_> = peers.iter().map(u32::to_string).collect();
                f.write_str(&texts.join(","))
            }
        }
    }
}

impl FromStr for VsockPeers {
    type Err = PeersError;

    /// Context ids, `host` and `local`, with commas between them; or `any`, alone.
    fn from_str(text: &str) -> Result<Self, PeersError> {
        if text.trim() == "any" {
            return Ok(VsockPeers::Any);
        }
        let peers: Result<_, _> = text.split(',').map(|word| peer(word.trim())).collect();
        peers.map(VsockPeers::These)
    }
}

fn peer(word: &str) -> Result<u32, PeersError> {
    match word {
        "host" => Ok(HOST),
        "local" => Ok(LOCAL),
        number => match number.parse() {
            Ok(NOBODY) | Err(_) => Err(PeersError { word: word.to_owned() }),
            Ok(peer) => Ok(peer),
        },
    }
}

/// Something that is not a peer. A word that is passed over could be the one that was to be let in, or a list that was to
/// shut somebody out would shut out nobody: the agent does not start.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "'{word}' is not a vsock peer: a context id is a number below 4294967295, the host is 2, the VM itself is 1; with \
     commas between several, or 'any' alone for everybody"
)]
pub struct PeersError {
    /// The word.
    pub word: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_the_only_one_unless_others_are_named() {
        let peers = VsockPeers::default();
        assert!(peers.permit(2));
        for other in [0, 1, 3, 4, u32::MAX] {
            assert!(!peers.permit(other), "{other}");
        }
        assert_eq!("host".parse(), Ok(peers));
    }

    #[test]
    fn who_is_named_is_let_in_and_nobody_else() {
        let peers: VsockPeers = "3, host ,local".parse().unwrap();
        assert_eq!(peers.to_string(), "3,2,1");
        assert_eq!([0, 1, 2, 3, 4].map(|peer| peers.permit(peer)), [false, true, true, true, false]);
        assert_eq!(peers.to_string().parse(), Ok(peers));
        let any: VsockPeers = " any ".parse().unwrap();
        assert!(any.permit(0) && any.permit(77) && any.to_string() == "any");
    }

    #[test]
    fn a_word_that_is_no_peer_is_an_error() {
        for (text, word) in [
            ("", ""),
            ("2,", ""),
            ("hsot", "hsot"),
            ("2;3", "2;3"),
            ("2 3", "2 3"),
            ("2,any", "any"),
            ("-1", "-1"),
            ("4294967295", "4294967295"),
            ("4294967296", "4294967296"),
            ("0x2", "0x2"),
        ] {
            let error = text.parse::<VsockPeers>().unwrap_err();
            assert_eq!(error.word, word, "{text}");
        }
        assert!("2,any".parse::<VsockPeers>().unwrap_err().to_string().starts_with("'any' is not a vsock peer: "));
    }
}
