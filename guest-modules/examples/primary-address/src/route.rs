//! The interface of the default route, in the kernel's routing tables.

/// The route is in use (`RTF_UP` of the kernel's `linux/route.h`).
const UP: u32 = 0x1;

/// The route says "no way" (`RTF_REJECT`). Kernels keep such a default route for version 6 at all times.
const REJECT: u32 = 0x200;

/// In the text of /proc/net/route. A line is `eth0 00000000 0102A8C0 0003 0 0 100 00000000 0 0 0`: interface, destination,
/// gateway, flags, two counters, metric, mask, and more. The heading has no such numbers and is passed over.
pub(crate) fn default_ipv4(table: &[u8]) -> Option<String> {
    lowest(table, |words| {
        let [interface, "00000000", _, flags, _, _, metric, "00000000", ..] = *words else { return None };
        leads(flags)?;
        Some((interface, metric.parse().ok()?))
    })
}

/// In the text of /proc/net/ipv6_route. A line is
/// `00..00 00 00..00 00 fe80..01 00000400 00000001 00000000 00000003 eth0`: destination and its prefix, source and its prefix,
/// next hop, metric, two counters, flags, interface.
pub(crate) fn default_ipv6(table: &[u8]) -> Option<String> {
    lowest(table, |words| {
        let [destination, prefix, _, _, _, metric, _, _, flags, interface] = *words else { return None };
        let is_zero = |digits: &str| digits.bytes().all(|digit| digit == b'0');
        (is_zero(destination) && is_zero(prefix)).then_some(())?;
        leads(flags)?;
        Some((interface, u32::from_str_radix(metric, 16).ok()?))
    })
}

/// The interface of the route with the lowest metric; of several such, of the first.
fn lowest<'a>(table: &'a [u8], route: impl Fn(&[&'a str]) -> Option<(&'a str, u32)>) -> Option<String> {
    let lines = table.split(|byte| *byte == b'\n').filter_map(|line| str::from_utf8(line).ok());
    let routes = lines.filter_map(|line| route(&line.split_ascii_whitespace().collect::<Vec<_>>()));
    routes.min_by_key(|(_, metric)| *metric).map(|(interface, _)| interface.to_owned())
}

fn leads(flags: &str) -> Option<()> {
    let flags = u32::from_str_radix(flags, 16).ok()?;
    (flags & UP != 0 && flags & REJECT == 0).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADING: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    #[test]
    fn the_lowest_metric_wins_and_the_first_of_equals() {
        let table = |routes: &[(&str, &str, u32)]| {
            let line = |(name, flags, metric): &(&str, &str, u32)| {
                format!("{name}\t00000000\t0100000A\t{flags}\t0\t0\t{metric}\t00000000\t0\t0\t0\n")
            };
            routes.iter().fold(HEADING.to_owned(), |text, route| text + &line(route))
        };
        let interface = |routes: &[_]| default_ipv4(table(routes).as_bytes());
        assert_eq!(interface(&[("wlan0", "0003", 600), ("eth0", "0003", 100)]).as_deref(), Some("eth0"));
        assert_eq!(interface(&[("a", "0003", 0), ("b", "0003", 0)]).as_deref(), Some("a"));
        assert_eq!(interface(&[("down", "0002", 0), ("reject", "0201", 0), ("up", "0001", 9)]).as_deref(), Some("up"));
        assert_eq!(interface(&[]), None);
    }

    #[test]
    fn half_a_default_route_is_none() {
        let table = "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n";
        assert_eq!(default_ipv4(table.as_bytes()), None, "0.0.0.0/1, as a VPN has it");
    }

    #[test]
    fn the_kernels_own_default_route_leads_nowhere() {
        let zero = "0".repeat(32);
        let line = |metric: &str, flags: &str, name: &str| {
            format!("{zero} 00 {zero} 00 {zero} {metric} 00000001 00000000 {flags}       {name}\n")
        };
        assert_eq!(default_ipv6(line("ffffffff", "00200200", "lo").as_bytes()), None);
        let both = line("ffffffff", "00200200", "lo") + &line("00000400", "00000003", "eth0");
        assert_eq!(default_ipv6(both.as_bytes()).as_deref(), Some("eth0"));
    }
}
