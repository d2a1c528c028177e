//! Network interfaces; getifaddrs(3).

use super::Linux;
use crate::{Address, InterfaceAddress, Network};
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{SockaddrLike, SockaddrStorage};
use std::ffi::CStr;
use std::ptr::null_mut;

impl Network for Linux {
    /// ///
    /// Not by nix::ifaddrs, which makes text of the names: then two interfaces whose names are no UTF-8 are one.
    fn addresses(&self, limit: usize) -> Result<Vec<InterfaceAddress>, Errno> {
        let list = List::get()?;
        let mut found = Vec::new();
        for entry in list.entries() {
            let Some(address) = address(entry) else { continue };
            if found.len() == limit {
                return Err(Errno::EOVERFLOW);
            }
            // SAFETY: getifaddrs(3) ends the name with a NUL, and it lives as long as the list.
            #[expect(unsafe_code, reason = "a C string")]
            let name = unsafe { CStr::from_ptr(entry.ifa_name) };
            found.push(InterfaceAddress { name: name.to_bytes().to_vec(), address });
        }
        Ok(found)
    }
}

/// What getifaddrs(3) gave.
struct List(*mut libc::ifaddrs);

impl List {
    fn get() -> Result<Self, Errno> {
        let mut first = null_mut();
        // SAFETY: `first` outlives the call, which writes the list's first entry to it.
        #[expect(unsafe_code, reason = "a call of the C library")]
        let result = unsafe { libc::getifaddrs(&raw mut first) };
        Errno::result(result).map(|_| List(first))
    }

    fn entries(&self) -> impl Iterator<Item = &libc::ifaddrs> {
        // SAFETY: null, or an entry that lives until the list is dropped.
        #[expect(unsafe_code, reason = "pointers of the C library")]
        let entry = |pointer: *mut libc::ifaddrs| unsafe { pointer.as_ref() };
        std::iter::successors(entry(self.0), move |before| entry(before.ifa_next))
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: the list is getifaddrs(3)'s, and nothing that points into it is left.
        #[expect(unsafe_code, reason = "a call of the C library")]
        unsafe {
            libc::freeifaddrs(self.0);
        }
    }
}

/// Nothing for a kind of address that is neither an interface's own nor one of the internet's.
fn address(entry: &libc::ifaddrs) -> Option<Address> {
    // What has no hardware address (a tunnel, say) is listed with no address at all.
    let Some(address) = socket_address(entry.ifa_addr) else {
        return entry.ifa_addr.is_null().then(|| Address::Hardware(Vec::new()));
    };
    let mask = socket_address(entry.ifa_netmask);
    if let Some(link) = address.as_link_addr() {
        let bytes = link.addr().unwrap_or_default();
        Some(Address::Hardware(bytes[..link.halen().min(bytes.len())].to_vec()))
    } else if let Some(ipv4) = address.as_sockaddr_in() {
        let mask = mask.as_ref().and_then(SockaddrStorage::as_sockaddr_in);
        Some(Address::Ipv4(ipv4.ip(), prefix(mask.map_or(0, |mask| mask.ip().to_bits().count_ones()))))
    } else if let Some(ipv6) = address.as_sockaddr_in6() {
        let mask = mask.as_ref().and_then(SockaddrStorage::as_sockaddr_in6);
        Some(Address::Ipv6(ipv6.ip(), prefix(mask.map_or(0, |mask| mask.ip().to_bits().count_ones()))))
    } else {
        None
    }
}

fn socket_address(pointer: *const libc::sockaddr) -> Option<SockaddrStorage> {
    // SAFETY: null, or an address of getifaddrs(3), as long as its family has it; it is copied.
    #[expect(unsafe_code, reason = "a pointer of the C library")]
    unsafe {
        SockaddrStorage::from_raw(pointer, None)
    }
}

fn prefix(ones: u32) -> u8 {
    u8::try_from(ones).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    /// The loopback interface is there, but not always up.
    #[test]
    fn the_loopback_interface_is_listed() {
        let all = Linux.addresses(65_536).unwrap();
        let of_loopback: Vec<_> = all.iter().filter(|it| it.name == b"lo").map(|it| &it.address).collect();
        assert_eq!(of_loopback[0], &Address::Hardware(vec![0; 6]));
        for address in &of_loopback[1..] {
            let expected = [Address::Ipv4(Ipv4Addr::LOCALHOST, 8), Address::Ipv6(Ipv6Addr::LOCALHOST, 128)];
            assert!(expected.contains(address), "{address:?}");
        }
    }

    #[test]
    fn all_or_none_are_listed() {
        let all = Linux.addresses(65_536).unwrap();
        assert_eq!(Linux.addresses(all.len()).map(|some| some.len()), Ok(all.len()));
        assert_eq!(Linux.addresses(all.len() - 1), Err(Errno::EOVERFLOW));
    }
}
