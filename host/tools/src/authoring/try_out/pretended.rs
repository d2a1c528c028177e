//! The system that a case pretends.

use anyhow::{Context, bail};
use bulkhead_gate::{Address, Kernel, Usage};
use bulkhead_sys::Fake;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What the system says, as the file of cases has it. What is left out is not there.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Host {
    system_files: BTreeMap<String, String>,
    system_links: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    interfaces: Vec<Interface>,
    mounts: Option<String>,
    disks: Vec<String>,
    block_devices: BTreeMap<String, String>,
    usage: BTreeMap<String, Space>,
    programs: BTreeMap<String, Program>,
    users: BTreeMap<String, String>,
    clock: i64,
    kernel: Option<Names>,
    environment: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Interface {
    name: String,
    #[serde(default)]
    addresses: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Space {
    total: u64,
    free: u64,
    available: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    #[serde(default)]
    prints: String,
    #[serde(default)]
    status: i32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Names {
    host_name: String,
    release: String,
    version: String,
    machine: String,
}

impl Host {
    /// A system that says so.
    pub(super) fn pretend(&self) -> anyhow::Result<Fake> {
        let system = Fake::default();
        self.system_files.iter().for_each(|(path, text)| system.write_system_file(path, text.as_str()));
        self.system_links.iter().for_each(|(path, target)| system.link_system_file(path, target));
        self.files.iter().for_each(|(path, text)| system.write_file(path, text.as_str()));
        self.addresses()?.into_iter().for_each(|(name, address)| system.add_address(name.as_bytes(), address));
        self.disks.iter().for_each(|mount_point| system.mount(mount_point, None));
        if let Some(table) = &self.mounts {
            system.set_mountinfo(table.as_str());
        }
        for (path, number) in &self.block_devices {
            let numbers =
                number.split_once(':').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
            let numbers =
                numbers.with_context(|| format!("{path}: '{number}' is not a device number such as 254:0"))?;
            system.add_block_device(path, numbers);
        }
        for (mount_point, Space { total, free, available }) in &self.usage {
            system.set_usage(mount_point, Ok(Usage { total: *total, free: *free, available: *available }));
        }
        self.programs.iter().for_each(|(path, it)| system.install_brief(path, it.prints.as_str(), it.status));
        for (name, keys) in &self.users {
            system.add_user(name, Ok((!keys.is_empty()).then(|| keys.clone().into_bytes())));
        }
        system.set_clock(self.clock);
        if let Some(Names { host_name, release, version, machine }) = &self.kernel {
            let bytes = |text: &String| text.clone().into_bytes();
            let (host_name, release) = (bytes(host_name), bytes(release));
            system.set_kernel(Kernel { host_name, release, version: bytes(version), machine: bytes(machine) });
        }
        self.environment.iter().for_each(|(name, value)| system.set_environment(name, value));
        Ok(system)
    }

    /// The addresses in the order of getifaddrs(3): those of hardware first.
    fn addresses(&self) -> anyhow::Result<Vec<(&str, Address)>> {
        let mut all = Vec::new();
        for Interface { name, addresses } in &self.interfaces {
            if !addresses.iter().any(|text| matches!(address(text), Some(Address::Hardware(_)))) {
                all.push((name.as_str(), Address::Hardware(Vec::new())));
            }
            for text in addresses {
                let Some(address) = address(text) else {
                    bail!(
                        "{name}: '{text}' is not an address such as 52:54:00:12:34:56, 192.0.2.7/24 or 2001:db8::7/64"
                    );
                };
                all.push((name.as_str(), address));
            }
        }
        all.sort_by_key(|(_, address)| !matches!(address, Address::Hardware(_)));
        Ok(all)
    }
}

fn address(text: &str) -> Option<Address> {
    if let Some((address, prefix)) = text.split_once('/') {
        let prefix: u8 = prefix.parse().ok()?;
        return match (address.parse::<Ipv4Addr>(), address.parse::<Ipv6Addr>()) {
            (Ok(address), _) if prefix <= 32 => Some(Address::Ipv4(address, prefix)),
            (_, Ok(address)) if prefix <= 128 => Some(Address::Ipv6(address, prefix)),
            _ => None,
        };
    }
    let is_byte = |digits: &str| digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let byte = |digits: &str| if is_byte(digits) { u8::from_str_radix(digits, 16).ok() } else { None };
    text.split(':').map(byte).collect::<Option<Vec<u8>>>().map(Address::Hardware)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_by_their_form() {
        assert_eq!(address("52:54:00:12:34:56"), Some(Address::Hardware(vec![0x52, 0x54, 0, 0x12, 0x34, 0x56])));
        assert_eq!(address("192.0.2.7/24"), Some(Address::Ipv4(Ipv4Addr::new(192, 0, 2, 7), 24)));
        assert_eq!(address("::1/128"), Some(Address::Ipv6(Ipv6Addr::LOCALHOST, 128)));
        for wrong in ["", "192.0.2.7", "192.0.2.7/33", "::1/129", "52:54:0", "x/24", "+1:00"] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn hardware_comes_first_as_the_kernel_has_it() {
        let interface = |name: &str, addresses: &[&str]| Interface {
            name: name.to_owned(),
            addresses: addresses.iter().map(|it| (*it).to_owned()).collect(),
        };
        let interfaces =
            vec![interface("lo", &["127.0.0.1/8"]), interface("eth0", &["52:54:00:12:34:56", "192.0.2.7/24"])];
        let host = Host { interfaces, ..Host::default() };
        let names: Vec<_> = host.addresses().unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["lo", "eth0", "lo", "eth0"]);
    }
}
