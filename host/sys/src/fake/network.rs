//! Interfaces that a test makes.

use super::Fake;
use crate::{Address, InterfaceAddress};
use nix::errno::Errno;

/// What the pretended system knows of it.
#[derive(Debug, Default)]
pub(super) struct Network {
    addresses: Vec<InterfaceAddress>,
}

impl Fake {
    /// Gives an interface an address, behind all others.
    pub fn add_address(&self, interface: &[u8], address: Address) {
        let address = InterfaceAddress { name: interface.to_vec(), address };
        self.0.borrow_mut().network.addresses.push(address);
    }
}

impl crate::Network for Fake {
    fn addresses(&self, limit: usize) -> Result<Vec<InterfaceAddress>, Errno> {
        let state = &self.0.borrow();
        let all = &state.network.addresses;
        if all.len() > limit { Err(Errno::EOVERFLOW) } else { Ok(all.clone()) }
    }
}
