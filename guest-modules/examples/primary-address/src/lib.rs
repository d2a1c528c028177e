//! Guest module `org.bulkhead.primary-address`: the one answer to "at which address is this VM?". Clients that list all
//! interfaces and guess take a bridge of containers, or an address that nobody outside can reach.

mod route;

use bindings::bulkhead::agent::network::{self, Address, InterfaceAddress};
use bindings::bulkhead::agent::system_files;
use bulkhead_module::{CommandError, ErrorCode};
use schema::{PrimaryAddress, PrimaryAddressArguments};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The types of the arguments and returns, made from the schema.
pub mod schema {
    include!(concat!(env!("OUT_DIR"), "/schema.rs"));
}

bulkhead_module::module! {
    wit: "wit",
    world: "module",
    "__org.bulkhead_primary-address" => primary_address,
}

/// The interface of the default route, and its addresses.
pub fn primary_address(_: PrimaryAddressArguments) -> Result<PrimaryAddress, CommandError> {
    let (ipv4, ipv6) = (read("/proc/net/route")?, read("/proc/net/ipv6_route")?);
    let interface = route::default_ipv4(&ipv4).or_else(|| route::default_ipv6(&ipv6));
    let interface = interface.ok_or_else(|| CommandError::generic("there is no default route"))?;
    let all = network::addresses().map_err(|code| {
        CommandError::generic(format!("the addresses of {interface} cannot be read: {}", code.text()))
    })?;
    let own = all.iter().filter(|it| it.name == interface.as_bytes());
    Ok(PrimaryAddress { addresses: own.filter_map(usable).collect(), interface })
}

/// A kernel without one version of the protocol has no such file, and so has a table without routes.
fn read(path: &str) -> Result<Vec<u8>, CommandError> {
    system_files::read(path.as_bytes()).or_else(|code| match code {
        ErrorCode::NoEntry => Ok(Vec::new()),
        ErrorCode::Denied => {
            Err(CommandError::generic(format!("{path} may not be read: the agent's policy does not grant it")))
        }
        code => Err(CommandError::generic(format!("{path} cannot be read: {}", code.text()))),
    })
}

/// An address that says something to somebody who is elsewhere.
fn usable(address: &InterfaceAddress) -> Option<String> {
    match &address.address {
        Address::Hardware(_) => None,
        Address::Ipv4((bits, _)) => Some(Ipv4Addr::from_bits(*bits).to_string()),
        Address::Ipv6((groups, _)) => {
            let (a, b, c, d, e, f, g, h) = *groups;
            let address = Ipv6Addr::from([a, b, c, d, e, f, g, h]);
            (!address.is_unicast_link_local()).then(|| address.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(address: Address) -> Option<String> {
        usable(&InterfaceAddress { name: b"eth0".to_vec(), address })
    }

    #[test]
    fn only_addresses_for_others_are_told() {
        assert_eq!(address(Address::Ipv4((0xC000_0207, 24))).as_deref(), Some("192.0.2.7"));
        let ipv6 = |first| Address::Ipv6(((first, 0xDB8, 0, 0, 0, 0, 0, 7), 64));
        assert_eq!(address(ipv6(0x2001)).as_deref(), Some("2001:db8::7"));
        assert_eq!(address(ipv6(0xFE80)), None);
        assert_eq!(address(Address::Hardware(vec![2, 0, 0, 0, 0, 1])), None);
    }
}
