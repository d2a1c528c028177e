//! Network interfaces.

use crate::{InterfaceAddress, Rehearsal, System};
use nix::errno::Errno;

/// Listing the network's interfaces.
pub trait Network {
    /// The addresses of all network interfaces (getifaddrs(3)), at most `limit`, else `EOVERFLOW`.
    fn addresses(&self, limit: usize) -> Result<Vec<InterfaceAddress>, Errno>;
}

impl<S: System> Network for Rehearsal<S> {
    fn addresses(&self, limit: usize) -> Result<Vec<InterfaceAddress>, Errno> {
        self.real.addresses(limit)
    }
}
