//! Addresses of the internet as text, in the form of inet_ntop(3).

use std::net::{Ipv4Addr, Ipv6Addr};

/// `192.0.2.1`.
pub fn ipv4(address: Ipv4Addr) -> String {
    address.to_string()
}

/// `2001:db8::1`. The C library shows an address that begins with 96 bits of zero as one that holds an IPv4 address, unless it
/// is a small number; Rust does not.
pub fn ipv6(address: Ipv6Addr) -> String {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high > 0 => {
            format!("::{}", Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_as_the_c_library_has_it() {
        for text in [
            "::",
            "::1",
            "::ffff",
            "::1.2.3.4",
            "::0.1.0.0",
            "::ffff:192.0.2.1",
            "::1:0:0",
            "2001:db8::1:0:0:1",
            "2001:0:0:1::",
            "1:2:3:4:5:6:7:8",
            "1:0:3:4:5:6:7:8",
            "fe80::fc:ff:fe00:1",
        ] {
            assert_eq!(ipv6(text.parse().unwrap()), text);
        }
    }
}
