//! `network`: the addresses of network interfaces.

use super::interface::network::{Address, Host, InterfaceAddress};
use super::interface::types::ErrorCode;
use super::{Compartment, errno};
use bulkhead_border::{Network, network};

impl Host for Compartment {
    fn addresses(&mut self) -> wasmtime::Result<Result<Vec<InterfaceAddress>, ErrorCode>> {
        self.called(0)?;
        let found = self.broker().addresses();
        self.brought(found.as_ref().map_or(0, |found| found.len() * size_of::<InterfaceAddress>()));
        Ok(found.map(|found| found.into_iter().map(plain).collect()).map_err(errno::code))
    }

    fn preferred(&mut self) -> wasmtime::Result<Result<Option<Vec<String>>, ErrorCode>> {
        self.called(0)?;
        Ok(self.broker().preferred_interfaces().map_err(errno::code))
    }
}

fn plain(of: network::InterfaceAddress) -> InterfaceAddress {
    let address = match of.address {
        network::Address::Hardware(address) => Address::Hardware(address),
        network::Address::Ipv4(address, prefix) => Address::Ipv4((address.to_bits(), prefix)),
        network::Address::Ipv6(address, prefix) => Address::Ipv6((address.segments().into(), prefix)),
    };
    InterfaceAddress { name: of.name, address }
}
