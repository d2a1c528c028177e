//! What network interfaces have moved: /proc/net/dev, proc_pid_net(5).

use crate::figures::figures;
use crate::schema::GuestNetworkInterfaceStat;
use std::collections::BTreeMap;

/// The figures of every interface, as text, by the interface's name.
#[derive(Debug, Default)]
pub struct NetDev<'a>(BTreeMap<&'a [u8], &'a [u8]>);

impl<'a> NetDev<'a> {
    /// Finds the lines of a text; those that are not as the manual page says belong to no interface.
    pub fn of(text: &'a [u8]) -> Self {
        let line = |line: &'a [u8]| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((line[..colon].trim_ascii_start(), &line[colon + 1..]))
        };
        NetDev(text.split(|byte| *byte == b'\n').filter_map(line).collect())
    }

    /// What an interface has moved.
    pub fn statistics(&self, name: &[u8]) -> Option<GuestNetworkInterfaceStat> {
        statistics(self.0.get(name)?)
    }
}

/// Eight figures of what was received, then eight of what was sent.
fn statistics(text: &[u8]) -> Option<GuestNetworkInterfaceStat> {
    let figures = figures(str::from_utf8(text).ok()?.split_ascii_whitespace());
    let [rx_bytes, rx_packets, rx_errs, rx_dropped, _, _, _, _, tx_bytes, tx_packets, tx_errs, tx_dropped, ..] =
        figures[..]
    else {
        return None;
    };
    Some(GuestNetworkInterfaceStat {
        rx_bytes,
        rx_packets,
        rx_errs,
        rx_dropped,
        tx_bytes,
        tx_packets,
        tx_errs,
        tx_dropped,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::hostile;

    const TEXT: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    6404      56    0    0    0     0          0         0     6404      56    0    0    0     0       0          0
  eth0:18446744073709551615 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
";

    #[test]
    fn the_figures_are_in_the_order_of_the_manual_page() {
        let all = NetDev::of(TEXT.as_bytes());
        let it = all.statistics(b"eth0").unwrap();
        assert_eq!([it.rx_bytes, it.rx_packets, it.rx_errs, it.rx_dropped], [u64::MAX, 2, 3, 4]);
        assert_eq!([it.tx_bytes, it.tx_packets, it.tx_errs, it.tx_dropped], [9, 10, 11, 12]);
        assert_eq!(all.statistics(b"lo").map(|it| (it.rx_bytes, it.tx_packets)), Some((6404, 56)));
    }

    #[test]
    fn names_are_bytes() {
        let all = NetDev::of(b" a\xFFb: 1 2 3 4 5 6 7 8 9 10 11 12\n a\xFEb: 2 2 3 4 5 6 7 8 9 10 11 12");
        assert_eq!(all.statistics(b"a\xFFb").map(|it| it.rx_bytes), Some(1));
        assert_eq!(all.statistics(b"a\xFEb").map(|it| it.rx_bytes), Some(2));
    }

    #[test]
    fn a_line_that_is_too_short_tells_nothing() {
        let all = NetDev::of(b"a: 1 2 3 4 5 6 7 8 9 10 11\nb: 1 2 3 4 x 6 7 8 9 10 11 12\nc\n:\n");
        for name in [b"a".as_slice(), b"b", b"c", b""] {
            assert!(all.statistics(name).is_none());
        }
    }

    #[test]
    fn hostile_texts_tell_no_more_than_they_hold() {
        for text in hostile(TEXT.as_bytes()) {
            let all = NetDev::of(&text);
            let told = all.0.keys().filter(|name| all.statistics(name).is_some()).count();
            assert!(told * "1 2 3 4 5 6 7 8 9 0 1 2".len() <= text.len());
        }
    }
}
