//! `guest-network-get-route`: the VM's routing tables.

use crate::figures::hexadecimal;
use crate::schema::{GuestNetworkGetRouteArguments, GuestNetworkRoute};
use crate::{ip, stream, system};
use bulkhead_module::{CommandError, ErrorCode, Tail};
use std::net::{Ipv4Addr, Ipv6Addr};

const IPV4: &str = "/proc/net/route";
const IPV6: &str = "/proc/net/ipv6_route";

/// Lists the routes of version 4, then those of version 6. A kernel without one of them has no such file.
pub fn route(_: GuestNetworkGetRouteArguments) -> Result<Tail, CommandError> {
    let (ipv4, ipv6) = tables(system::read)?;
    Ok(stream::list(routes(&ipv4, &ipv6)))
}

fn tables(read: impl Fn(&str) -> Result<Vec<u8>, ErrorCode>) -> Result<(Vec<u8>, Vec<u8>), CommandError> {
    let none = |path: &str, code: ErrorCode| match code {
        ErrorCode::NoEntry => Ok(Vec::new()),
        ErrorCode::Overflow => {
            Err(CommandError::generic(format!("{path}: the routing table is too long (4 MiB are read)")))
        }
        code => Err(system::not_opened(path, code)),
    };
    match (read(IPV4), read(IPV6)) {
        (Err(ErrorCode::NoEntry), Err(ErrorCode::NoEntry)) => Err(system::not_opened(IPV4, ErrorCode::NoEntry)),
        (ipv4, ipv6) => Ok((ipv4.or_else(|code| none(IPV4, code))?, ipv6.or_else(|code| none(IPV6, code))?)),
    }
}

/// A line that is not as the kernel writes it is passed over, the headings too.
fn routes(ipv4: &[u8], ipv6: &[u8]) -> impl Iterator<Item = GuestNetworkRoute> {
    lines(ipv4).filter_map(|line| ipv4_route(&line)).chain(lines(ipv6).filter_map(|line| ipv6_route(&line)))
}

fn lines(text: &[u8]) -> impl Iterator<Item = String> {
    system::lines(text).map(system::text)
}

/// `eth0 0002A8C0 00000000 0001 1 2 3 00FFFFFF 1500 4 5`: interface, destination, gateway, flags, references, use, metric,
/// mask, MTU, window, round-trip time. Addresses are hexadecimal, as the flags, and in the byte order of the processors that the
/// agent is built for.
fn ipv4_route(line: &str) -> Option<GuestNetworkRoute> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [iface, destination, gateway, flags, refcnt, used, metric, mask, mtu, window, irtt] = words[..] else {
        return None;
    };
    Some(GuestNetworkRoute {
        iface: iface.to_owned(),
        destination: ipv4(destination)?,
        // The kernel prints its 32 bits as a signed number here.
        metric: metric.parse::<i32>().ok()?.cast_unsigned().into(),
        gateway: Some(ipv4(gateway)?),
        mask: Some(ipv4(mask)?),
        irtt: Some(irtt.parse().ok()?),
        flags: Some(hexadecimal(flags)?.into()),
        refcnt: Some(refcnt.parse().ok()?),
        r#use: Some(used.parse().ok()?),
        window: Some(window.parse().ok()?),
        mtu: Some(mtu.parse().ok()?),
        desprefixlen: None,
        source: None,
        srcprefixlen: None,
        nexthop: None,
        version: 4,
    })
}

/// `fe80...00 40 00...00 00 00...00 00000100 00000001 00000002 00000001 eth0`: destination and its prefix, source and its
/// prefix, next hop, metric, references, use, flags, interface. All numbers are hexadecimal.
fn ipv6_route(line: &str) -> Option<GuestNetworkRoute> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [destination, desprefixlen, source, srcprefixlen, nexthop, metric, refcnt, used, flags, iface] = words[..]
    else {
        return None;
    };
    Some(GuestNetworkRoute {
        iface: iface.to_owned(),
        destination: ipv6(destination)?,
        metric: hexadecimal(metric)?.into(),
        gateway: None,
        mask: None,
        irtt: None,
        // 32 bits, of which the highest (RTF_LOCAL) makes no negative number of them.
        flags: Some(hexadecimal(flags)?.into()),
        refcnt: Some(hexadecimal(refcnt)?.into()),
        r#use: Some(hexadecimal(used)?.into()),
        window: None,
        mtu: None,
        desprefixlen: Some(hexadecimal(desprefixlen)?.to_string()),
        source: Some(ipv6(source)?),
        srcprefixlen: Some(hexadecimal(srcprefixlen)?.to_string()),
        nexthop: Some(ipv6(nexthop)?),
        version: 6,
    })
}

fn ipv4(digits: &str) -> Option<String> {
    Some(ip::ipv4(Ipv4Addr::from(hexadecimal(digits)?.to_le_bytes())))
}

fn ipv6(digits: &str) -> Option<String> {
    let fits = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| u128::from_str_radix(digits, 16).ok()).flatten().map(|bits| ip::ipv6(Ipv6Addr::from_bits(bits)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::hostile;
    use bulkhead_module::IntoReturn;

    const ROUTE: &[u8] = b"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
        eth0\t0002A8C0\t0102A8C0\t0003\t1\t2\t-3\t00FFFFFF\t1500\t4\t5      \nbad line\n";
    const ROUTE6: &[u8] = b"20010db8000000000000000000000000 40 00000000000000000000000000000000 08 \
        fe800000000000000000000000000001 ffffffff 00000001 00000002 80200001     eth0\n";

    fn told(ipv4: &[u8], ipv6: &[u8]) -> Vec<String> {
        system::assert_fits("guest-network-get-route", routes(ipv4, ipv6).collect::<Vec<_>>());
        routes(ipv4, ipv6).map(IntoReturn::into_return).collect()
    }

    #[test]
    fn a_route_of_version_4_has_numbers_in_decimal() {
        let expected = r#"{"iface": "eth0", "destination": "192.168.2.0", "metric": 4294967293, "gateway": "192.168.2.1", "mask": "255.255.255.0", "irtt": 5, "flags": 3, "refcnt": 1, "use": 2, "window": 4, "mtu": 1500, "version": 4}"#;
        assert_eq!(told(ROUTE, b""), [expected]);
    }

    #[test]
    fn a_route_of_version_6_has_32_bits_without_a_sign() {
        let expected = r#"{"iface": "eth0", "destination": "2001:db8::", "metric": 4294967295, "flags": 2149580801, "refcnt": 1, "use": 2, "desprefixlen": "64", "source": "::", "srcprefixlen": "8", "nexthop": "fe80::1", "version": 6}"#;
        assert_eq!(told(b"", ROUTE6), [expected]);
    }

    #[test]
    fn version_4_comes_first() {
        let versions: Vec<_> = routes(&ROUTE.repeat(2), &ROUTE6.repeat(2)).map(|route| route.version).collect();
        assert_eq!(versions, [4, 4, 6, 6]);
    }

    #[test]
    fn hostile_tables_have_routes_or_none() {
        for text in hostile(ROUTE).into_iter().chain(hostile(ROUTE6)) {
            assert!(told(&text, &text).iter().all(|route| route.contains("\"version\"")));
        }
    }

    fn read(ipv4: Result<&str, ErrorCode>, ipv6: Result<&str, ErrorCode>) -> Result<(String, String), String> {
        let read = |path: &str| if path == IPV4 { ipv4 } else { ipv6 }.map(|text| text.as_bytes().to_vec());
        let text = |(one, other)| (system::text(one), system::text(other));
        tables(read).as_ref().map(|(one, other)| text((one, other))).map_err(|error| error.desc.clone())
    }

    #[test]
    fn a_kernel_without_one_version_has_the_other() {
        let missing = Err(ErrorCode::NoEntry);
        assert_eq!(read(Ok("4"), missing), Ok(("4".to_owned(), String::new())));
        assert_eq!(read(missing, Ok("6")), Ok((String::new(), "6".to_owned())));
        let desc = "open(\"/proc/net/route\"): No such file or directory";
        assert_eq!(read(missing, missing), Err(desc.to_owned()));
    }

    /// Before the first IPv4 address there are not even headings, and of version 6 there never are.
    #[test]
    fn an_empty_table_has_no_routes() {
        assert_eq!(told(b"", b""), [""; 0]);
        assert_eq!(told(b"", ROUTE6).len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let desc = "open(\"/proc/net/ipv6_route\"): Permission denied";
        assert_eq!(read(Ok("4"), Err(ErrorCode::Access)), Err(desc.to_owned()));
        let desc = "/proc/net/route: the routing table is too long (4 MiB are read)";
        assert_eq!(read(Err(ErrorCode::Overflow), Ok("6")), Err(desc.to_owned()));
    }
}
