//! `network`: the addresses of network interfaces.
//!
//! What the owner excludes no module learns of: neither here, nor from the lines of the kernel's tables of interfaces and routes
//! ([`Gate::without_excluded`]). Which come first the module is told, and decides.

use crate::{Asked, Errno, Gate, InterfaceAddress, Refusal};
use bulkhead_border::Network;
use bulkhead_catalog::Capability;

/// How many addresses are listed at most. It bounds what a VM with runaway interfaces (containers leak them) can make the
/// agent hold; the largest hosts of containers have some thousands.
const ADDRESS_LIMIT: usize = 65_536;

/// Where in a line of a table the name of an interface stands.
#[derive(Clone, Copy)]
enum Column {
    /// `eth0: 1 2 3`, behind two lines of headings.
    BeforeColon,
    /// `eth0 0002A8C0 ...`, behind a line of headings.
    First,
    /// `... 00000001 eth0`, without headings.
    Last,
}

/// The tables of the kernel that built-in commands read, and have an interface in each line.
const TABLES: &[(&[u8], Column)] = &[
    (b"/proc/net/dev", Column::BeforeColon),
    (b"/proc/net/route", Column::First),
    (b"/proc/net/ipv6_route", Column::Last),
];

impl Network for Asked<'_> {
    /// Those of all interfaces that the owner does not exclude.
    fn addresses(&mut self) -> Result<Vec<InterfaceAddress>, Refusal<Errno>> {
        self.require(Capability::Network, &[])?;
        let mut addresses = self.gate.system.addresses(ADDRESS_LIMIT)?;
        if let Some(network) = &self.gate.policy().network {
            addresses.retain(|address| !network.excludes(&address.name));
        }
        Ok(addresses)
    }

    fn preferred_interfaces(&mut self) -> Result<Option<Vec<String>>, Refusal<Errno>> {
        self.require(Capability::Network, &[])?;
        Ok(self.gate.policy().network.as_ref().map(|network| network.primary.clone().unwrap_or_default()))
    }
}

impl Gate {
    /// The text of the file at `path` without the lines of interfaces that the owner excludes, if it is a table of these.
    pub(crate) fn without_excluded(&self, path: &[u8], text: Vec<u8>) -> Vec<u8> {
        let policy = self.policy();
        let Some(network) = policy.network.as_ref().filter(|network| !network.exclude.is_empty()) else { return text };
        let Some((_, column)) = TABLES.iter().find(|(table, _)| *table == path) else { return text };
        let lines = text.split_inclusive(|byte| *byte == b'\n').enumerate();
        let kept =
            lines.filter(|(number, line)| column.interface(*number, line).is_none_or(|name| !network.excludes(name)));
        kept.flat_map(|(_, line)| line).copied().collect()
    }
}

impl Column {
    /// The name in a line, which is the `number`th; headings have none.
    fn interface(self, number: usize, line: &[u8]) -> Option<&[u8]> {
        let line = line.trim_ascii();
        match self {
            Column::BeforeColon if number < 2 => None,
            Column::BeforeColon => line.split(|byte| *byte == b':').next(),
            Column::First if number < 1 => None,
            Column::First => line.split(u8::is_ascii_whitespace).next(),
            Column::Last => line.rsplit(u8::is_ascii_whitespace).next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, testing};
    use bulkhead_border::SystemFiles;
    use bulkhead_sys::Fake;

    const PERMITS: &str = "[[permit]]\ncapability = \"network\"\nmodules = [\"report\"]\nreason = \"x\"\n\
                           [[permit]]\ncapability = \"system-files\"\nmodules = [\"report\"]\nfiles = [\"*\"]\nreason = \"x\"\n";

    fn machine() -> Fake {
        let system = Fake::default();
        for name in ["lo", "veth1", "eth0"] {
            system.add_address(name.as_bytes(), Address::Hardware(vec![2, 0, 0, 0, 0, 1]));
        }
        for name in ["eth0:1", "veth1"] {
            system.add_address(name.as_bytes(), Address::Ipv4(std::net::Ipv4Addr::LOCALHOST, 8));
        }
        let dev = "Inter-| Receive\n face |bytes\n    lo: 1 2\n veth1: 3 4\n  eth0:5 6\n";
        system.write_system_file("/proc/net/dev", dev);
        let route = "Iface\tDestination\nveth1\t00000000\neth0\t00000000\nveth1\t00000001\n";
        system.write_system_file("/proc/net/route", route);
        system.write_system_file("/proc/net/ipv6_route", "0 00  eth0\n1 00    veth1\n2 00 lo");
        system
    }

    fn read(gate: &Gate, path: &str) -> String {
        String::from_utf8(gate.asked_by("report").read_system_file(path.into()).unwrap()).unwrap()
    }

    #[test]
    fn nobody_learns_of_an_interface_that_is_excluded() {
        let system = machine();
        let gate = testing::with(&system, &format!("[network]\nexclude = [\"veth*\", \"face\", \"I*\"]\n{PERMITS}"));
        let names: Vec<_> = gate.asked_by("report").addresses().unwrap().into_iter().map(|it| it.name).collect();
        assert_eq!(names, [b"lo".to_vec(), b"eth0".to_vec(), b"eth0:1".to_vec()]);
        assert_eq!(read(&gate, "/proc/net/dev"), "Inter-| Receive\n face |bytes\n    lo: 1 2\n  eth0:5 6\n");
        assert_eq!(read(&gate, "/proc/net/route"), "Iface\tDestination\neth0\t00000000\n");
        assert_eq!(read(&gate, "/proc/net/ipv6_route"), "0 00  eth0\n2 00 lo");
    }

    #[test]
    fn without_a_word_of_the_owners_all_is_as_the_kernel_has_it() {
        let gate = testing::full(&machine());
        assert_eq!(gate.asked_by("report").addresses().map(|all| all.len()), Ok(5));
        assert_eq!(gate.asked_by("report").preferred_interfaces(), Ok(None));
        assert!(read(&gate, "/proc/net/dev").contains("veth1"));
    }

    #[test]
    fn which_come_first_is_told_as_the_owner_says_it() {
        let told = |rules: &str| testing::with(&machine(), rules).asked_by("report").preferred_interfaces();
        let preferred = |rule: &str| told(&format!("[network]\n{rule}\n{PERMITS}")).unwrap();
        assert_eq!(preferred("primary = [\"eth1\", \"en*\"]"), Some(vec!["eth1".to_owned(), "en*".to_owned()]));
        assert_eq!(preferred("exclude = [\"veth*\"]"), Some(Vec::new()), "default routes alone");
        assert_eq!(told(""), Err(Refusal::Denied));
    }
}
