//! Which interfaces have a default route: they lead to the rest of the world.

use bulkhead_module::ErrorCode;
use std::collections::BTreeSet;

const IPV4: &str = "/proc/net/route";
const IPV6: &str = "/proc/net/ipv6_route";

/// The route is in use (RTF_UP of linux/route.h), and does not say that there is none (RTF_REJECT).
const UP: u32 = 0x1;
const REJECT: u32 = 0x200;

/// Their names. What cannot be read names none: the owner may have permitted the addresses alone.
pub fn interfaces(read: impl Fn(&str) -> Result<Vec<u8>, ErrorCode>) -> BTreeSet<Vec<u8>> {
    let (ipv4, ipv6) = (read(IPV4).unwrap_or_default(), read(IPV6).unwrap_or_default());
    let ipv4 = ipv4.split(|byte| *byte == b'\n').filter_map(|line| by_ipv4(&words(line)));
    let ipv6 = ipv6.split(|byte| *byte == b'\n').filter_map(|line| by_ipv6(&words(line)));
    ipv4.chain(ipv6).map(<[u8]>::to_vec).collect()
}

fn words(line: &[u8]) -> Vec<&[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect()
}

/// `eth0 00000000 0102A8C0 0003 0 0 100 00000000 0 0 0`: interface, destination, gateway, flags, four more, mask.
fn by_ipv4<'a>(words: &[&'a [u8]]) -> Option<&'a [u8]> {
    let [interface, destination, _, flags, _, _, _, mask, ..] = words else { return None };
    (is_zero(destination) && is_zero(mask) && leads_on(flags)).then_some(*interface)
}

/// `00...00 00 00...00 00 fe80...01 00000400 00000001 00000000 00000003 eth0`: destination and its prefix first, flags and
/// interface last.
fn by_ipv6<'a>(words: &[&'a [u8]]) -> Option<&'a [u8]> {
    let [destination, prefix, .., flags, interface] = words else { return None };
    (is_zero(destination) && is_zero(prefix) && leads_on(flags)).then_some(*interface)
}

fn is_zero(number: &[u8]) -> bool {
    number.iter().all(|digit| *digit == b'0')
}

fn leads_on(flags: &[u8]) -> bool {
    let flags = std::str::from_utf8(flags).ok().and_then(|flags| u32::from_str_radix(flags, 16).ok());
    flags.is_some_and(|flags| flags & UP != 0 && flags & REJECT == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system;

    const ROUTES4: &[u8] = b"Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
        docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n\
        eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
        wg0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n\
        *\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0\t0\t0\n";
    const ROUTES6: &[u8] =
        b"fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth1\n\
          00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth2\n\
          00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n";

    fn found(ipv4: &'static [u8], ipv6: &'static [u8]) -> Vec<String> {
        let read = |path: &str| match path {
            IPV4 => Ok(ipv4.to_vec()),
            IPV6 => Ok(ipv6.to_vec()),
            _ => Err(ErrorCode::NoEntry),
        };
        interfaces(read).iter().map(|name| system::text(name)).collect()
    }

    #[test]
    fn a_default_route_leads_anywhere_and_is_in_use() {
        assert_eq!(found(ROUTES4, ROUTES6), ["eth0", "eth2"]);
        assert_eq!(found(b"", b""), [""; 0]);
        assert!(interfaces(|_| Err(ErrorCode::Denied)).is_empty());
    }

    #[test]
    fn no_text_is_a_trap() {
        for text in system::hostile(ROUTES4).into_iter().chain(system::hostile(ROUTES6)) {
            interfaces(|_| Ok(text.clone()));
        }
    }
}
