//! `network`: the addresses of network interfaces.

use crate::{Errno, Refusal};
use std::net::{Ipv4Addr, Ipv6Addr};

/// One address of one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The interface's name; the kernel allows nearly all bytes in it.
    pub name: Vec<u8>,
    /// The address.
    pub address: Address,
}

/// What an interface is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A hardware address, or the first six bytes of a longer one; empty where the interface's kind has none.
    Hardware(Vec<u8>),
    /// An IPv4 address, and the length of its network's prefix in bits.
    Ipv4(Ipv4Addr, u8),
    /// An IPv6 address, and the length of its network's prefix in bits.
    Ipv6(Ipv6Addr, u8),
}

interface! {
    /// The addresses of network interfaces.
    Network {
        /// All of them, as many as the gate lets be told.
        fn addresses() -> Result<Vec<InterfaceAddress>, Refusal<Errno>>;

        /// The names of the interfaces that the owner wants first; nothing if the owner says nothing.
        fn preferred_interfaces() -> Result<Option<Vec<String>>, Refusal<Errno>>;
    }
}
