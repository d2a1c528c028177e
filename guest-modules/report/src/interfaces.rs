//! `guest-network-get-interfaces`: the VM's network interfaces, their addresses and what they have moved.

use crate::bindings::bulkhead::agent::network::{self, Address, InterfaceAddress};
use crate::net_dev::NetDev;
use crate::schema::{GuestIpAddress, GuestIpAddressType, GuestNetworkGetInterfacesArguments, GuestNetworkInterface};
use crate::{default_routes, ip, stream, system};
use bulkhead_module::{CommandError, Tail, log};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

const FIGURES: &str = "/proc/net/dev";

/// Lists them in the order of getifaddrs(3), or in the one that the owner wants. Addresses and figures are asked for once, however
/// many interfaces there are.
pub fn interfaces(_: GuestNetworkGetInterfacesArguments) -> Result<Tail, CommandError> {
    let addresses =
        network::addresses().map_err(|code| CommandError::generic(format!("getifaddrs failed: {}", code.text())))?;
    let figures = system::read(FIGURES).unwrap_or_else(|code| {
        log::warning(&format!("no statistics of network interfaces: {FIGURES}: {}", code.text()));
        Vec::new()
    });
    let figures = NetDev::of(&figures);
    let network = Network::of(&addresses);
    let mut interfaces: Vec<_> = network.interfaces().collect();
    // Who may read addresses may know this: an error says nothing of the interfaces.
    if let Ok(Some(preferred)) = network::preferred() {
        let order = Order { preferred: &preferred, routed: &default_routes::interfaces(system::read) };
        interfaces.sort_by_cached_key(|interface| order.place(&addresses[interface[0]].name));
    }
    Ok(stream::list(interfaces.into_iter().map(|interface| network.tell(interface, &figures))))
}

/// Which interfaces come first: those that the owner prefers, then those that have a default route.
struct Order<'a> {
    preferred: &'a [String],
    routed: &'a BTreeSet<Vec<u8>>,
}

impl Order<'_> {
    /// Of two interfaces the one with the smaller place comes first; of two with the same, the one that is listed first.
    fn place(&self, interface: &[u8]) -> usize {
        let name = interface.split(|byte| *byte == b':').next().unwrap_or_default();
        let preferred = self.preferred.iter().position(|pattern| is_like(pattern.as_bytes(), name));
        preferred.unwrap_or_else(|| self.preferred.len() + usize::from(!self.routed.contains(name)))
    }
}

/// Whether a name is like a pattern in which `*` is any text. Each `*` takes as little as it can, and the last what is left.
fn is_like(pattern: &[u8], name: &[u8]) -> bool {
    let Some(star) = pattern.iter().position(|byte| *byte == b'*') else { return pattern == name };
    let (begin, rest) = (&pattern[..star], &pattern[star + 1..]);
    let Some(name) = name.strip_prefix(begin) else { return false };
    match rest.iter().position(|byte| *byte == b'*') {
        None => name.ends_with(rest),
        Some(next) => (0..=name.len())
            .find(|at| name[*at..].starts_with(&rest[..next]))
            .is_some_and(|at| is_like(rest, &name[at..])),
    }
}

/// The addresses of all interfaces.
struct Network<'a> {
    addresses: &'a [InterfaceAddress],
    /// The place of the first address of each interface.
    first: BTreeMap<&'a [u8], usize>,
    /// The places of all addresses, those of one interface together.
    order: Vec<usize>,
}

impl<'a> Network<'a> {
    fn of(addresses: &'a [InterfaceAddress]) -> Self {
        let mut first = BTreeMap::new();
        let name = |index: usize| addresses[index].name.as_slice();
        for index in 0..addresses.len() {
            first.entry(name(index)).or_insert(index);
        }
        let mut order: Vec<usize> = (0..addresses.len()).collect();
        order.sort_by_cached_key(|index| first[name(*index)]);
        Network { addresses, first, order }
    }

    /// The places of each interface's addresses.
    fn interfaces(&self) -> impl Iterator<Item = &[usize]> {
        self.order.chunk_by(|one, other| self.addresses[*one].name == self.addresses[*other].name)
    }

    fn tell(&self, interface: &[usize], figures: &NetDev<'_>) -> GuestNetworkInterface {
        let name = &self.addresses[interface[0]].name;
        let addresses = interface.iter().filter_map(|index| ip_address(&self.addresses[*index].address));
        let addresses: Vec<_> = addresses.collect();
        let has_address = !addresses.is_empty();
        GuestNetworkInterface {
            name: system::text(name),
            hardware_address: self.hardware(name).map(hardware_address),
            statistics: has_address.then(|| figures.statistics(name)).flatten(),
            ip_addresses: has_address.then_some(addresses),
        }
    }

    /// An address may have a label (`eth0:1`) and is then listed as if that were an interface. Whoever asks the kernel for its
    /// hardware address is told that of the interface before the colon.
    fn hardware(&self, name: &[u8]) -> Option<&[u8]> {
        let interface = name.split(|byte| *byte == b':').next()?;
        match &self.addresses[*self.first.get(interface)?].address {
            Address::Hardware(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// Six bytes; those that an interface lacks are zero.
fn hardware_address(bytes: &[u8]) -> String {
    let pair = |index: usize| format!("{:02x}", bytes.get(index).unwrap_or(&0));
    (0..6).map(pair).collect::<Vec<_>>().join(":")
}

fn ip_address(address: &Address) -> Option<GuestIpAddress> {
    let (ip_address, ip_address_type, prefix) = match *address {
        Address::Hardware(_) => return None,
        Address::Ipv4((bits, prefix)) => (ip::ipv4(Ipv4Addr::from_bits(bits)), GuestIpAddressType::Ipv4, prefix),
        Address::Ipv6(((a, b, c, d, e, f, g, h), prefix)) => {
            (ip::ipv6(Ipv6Addr::new(a, b, c, d, e, f, g, h)), GuestIpAddressType::Ipv6, prefix)
        }
    };
    Some(GuestIpAddress { ip_address, ip_address_type, prefix: prefix.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_module::IntoReturn;

    const FIGURES: &[u8] = b"  eth0: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n  tun0: 9 9 9 9 0 0 0 0 9 9 9 9 0 0 0 0\n";

    fn at(name: &[u8], address: Address) -> InterfaceAddress {
        InterfaceAddress { name: name.to_vec(), address }
    }

    fn hardware(name: &[u8], bytes: &[u8]) -> InterfaceAddress {
        at(name, Address::Hardware(bytes.to_vec()))
    }

    fn ipv4(name: &[u8], last: u8) -> InterfaceAddress {
        at(name, Address::Ipv4((Ipv4Addr::new(192, 0, 2, last).to_bits(), 24)))
    }

    fn told(addresses: &[InterfaceAddress]) -> Vec<GuestNetworkInterface> {
        let (network, figures) = (Network::of(addresses), NetDev::of(FIGURES));
        let told = || network.interfaces().map(|interface| network.tell(interface, &figures)).collect::<Vec<_>>();
        system::assert_fits("guest-network-get-interfaces", told());
        told()
    }

    fn addresses(of: &GuestNetworkInterface) -> Option<Vec<(String, i64)>> {
        let all = of.ip_addresses.as_ref()?.iter();
        Some(all.map(|it| (it.ip_address.clone(), it.prefix)).collect())
    }

    #[test]
    fn addresses_are_gathered_in_the_order_of_interfaces() {
        let ipv6 = at(b"eth0", Address::Ipv6(((0xFE80, 0, 0, 0, 0, 0, 0, 1), 64)));
        let all = told(&[
            hardware(b"eth0", &[2, 0xFC, 0, 0, 0, 1]),
            hardware(b"dummy0", &[2, 0, 0, 0, 0, 2]),
            ipv4(b"eth0", 5),
            ipv6,
        ]);
        assert_eq!(all.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["eth0", "dummy0"]);
        assert_eq!(all[0].hardware_address.as_deref(), Some("02:fc:00:00:00:01"));
        assert_eq!(addresses(&all[0]), Some(vec![("192.0.2.5".to_owned(), 24), ("fe80::1".to_owned(), 64)]));
        assert_eq!(all[0].statistics.as_ref().map(|it| (it.rx_bytes, it.tx_dropped)), Some((1, 8)));
        assert_eq!(all[1].hardware_address.as_deref(), Some("02:00:00:00:00:02"));
        assert!(addresses(&all[1]).is_none() && all[1].statistics.is_none());
    }

    fn order(preferred: &[&str], routed: &[&str], names: &[&'static str]) -> Vec<&'static str> {
        let preferred: Vec<String> = preferred.iter().map(|name| (*name).to_owned()).collect();
        let routed = routed.iter().map(|name| name.as_bytes().to_vec()).collect();
        let order = Order { preferred: &preferred, routed: &routed };
        let mut names = names.to_vec();
        names.sort_by_cached_key(|name| order.place(name.as_bytes()));
        names
    }

    #[test]
    fn the_preferred_come_first_and_then_those_with_a_default_route() {
        let kernel = ["lo", "docker0", "eth1", "eth1:1", "enp1s0", "eth0"];
        assert_eq!(order(&[], &[], &kernel), kernel);
        assert_eq!(order(&[], &["eth1", "eth0"], &kernel), ["eth1", "eth1:1", "eth0", "lo", "docker0", "enp1s0"]);
        assert_eq!(order(&["eth0", "en*"], &["eth1"], &kernel), ["eth0", "enp1s0", "eth1", "eth1:1", "lo", "docker0"]);
        assert_eq!(order(&["e*", "eth0"], &[], &kernel), ["eth1", "eth1:1", "enp1s0", "eth0", "lo", "docker0"]);
    }

    #[test]
    fn a_star_is_any_text() {
        for (pattern, name) in [("*", ""), ("en*s0", "enp1s0"), ("*a*b*", "xaxbx"), ("*.100", "eth0.100"), ("a*", "a")]
        {
            assert!(is_like(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        for (pattern, name) in [("en*s0", "enp1s01"), ("*a*b*", "xbxax"), ("a*a", "a"), ("eth0", "eth01"), ("", "a")] {
            assert!(!is_like(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
    }

    #[test]
    fn without_an_address_there_are_no_statistics() {
        let all = told(&[hardware(b"tun0", &[])]);
        assert_eq!(all[0].hardware_address.as_deref(), Some("00:00:00:00:00:00"));
        assert!(all[0].ip_addresses.is_none() && all[0].statistics.is_none());
    }

    #[test]
    fn a_label_is_an_interface_with_the_others_hardware_address() {
        let all = told(&[hardware(b"eth0", &[2, 0, 0, 0, 0, 1]), ipv4(b"eth0:1", 6), ipv4(b"other:1", 7)]);
        assert_eq!(all[1].name, "eth0:1");
        assert_eq!(all[1].hardware_address.as_deref(), Some("02:00:00:00:00:01"));
        assert!(all[1].statistics.is_none());
        assert_eq!(all[2].hardware_address, None);
    }

    #[test]
    fn names_that_look_alike_are_not_the_same() {
        let all = told(&[hardware(b"a\xFF", &[2, 0, 0, 0, 0, 1]), hardware(b"a\xFE", &[]), ipv4(b"a\xFE", 5)]);
        assert_eq!(all.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["a\u{FFFD}", "a\u{FFFD}"]);
        assert!(all[0].ip_addresses.is_none() && all[1].ip_addresses.is_some());
        let text = told(&[hardware(b"\x01\"\\\x7F\xFF", &[])]).into_return();
        assert!(text.contains(r#""name": "\u0001\"\\\u007F\uFFFD""#), "{text}");
    }

    #[test]
    fn three_thousand_interfaces_are_told_one_by_one() {
        let name = |number: usize| format!("veth{number}").into_bytes();
        let links = (0..3_000).map(|number| hardware(&name(number), &[2, 0, 0, 0, 0, 1]));
        let all: Vec<_> = links.chain((0..3_000).rev().map(|number| ipv4(&name(number), 1))).collect();
        let all = told(&all);
        assert_eq!(all.len(), 3_000);
        assert!(all.iter().all(|it| it.ip_addresses.as_ref().is_some_and(|all| all.len() == 1)));
        assert_eq!((all[0].name.as_str(), all[2_999].name.as_str()), ("veth0", "veth2999"));
    }
}
