//! `guest-get-diskstats`: what the disks and partitions have done.

use crate::figures::{figure, figures};
use crate::schema::{GuestDiskStats, GuestDiskStatsInfo, GuestGetDiskstatsArguments};
use crate::{stream, system};
use bulkhead_module::{CommandError, Tail};

/// How many figures there are: Linux 4.18 added those of discarding, 5.5 those of flushing.
const GROUPS: [usize; 3] = [11, 15, 17];

/// Tells it for each disk and partition.
pub fn diskstats(_: GuestGetDiskstatsArguments) -> Result<Tail, CommandError> {
    Ok(stream::list(parse(&system::read_or_error("/proc/diskstats")?)))
}

/// One line per disk, proc_diskstats(5). A line that is not as the manual page says is passed over.
fn parse(text: &[u8]) -> impl Iterator<Item = GuestDiskStatsInfo> {
    system::lines(text).filter_map(line)
}

/// `254 0 vda 100 5 800 20 ...`: major and minor number, name, figures.
fn line(line: &[u8]) -> Option<GuestDiskStatsInfo> {
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let (major, minor) = (figure(words.next()?)?, figure(words.next()?)?);
    let name = words.next()?.to_owned();
    Some(GuestDiskStatsInfo { name, major, minor, stats: stats(&figures(words))? })
}

/// A partition's line had four figures, other ones, until Linux 2.6.25.
fn stats(figures: &[u64]) -> Option<GuestDiskStats> {
    let of_group = |index: usize| {
        let end = GROUPS.into_iter().find(|end| index < *end)?;
        if figures.len() >= end { figures.get(index).copied() } else { None }
    };
    let [read_ios, read_sectors, write_ios, write_sectors] = match *figures {
        [] | [_] | [_, _] | [_, _, _] => return None,
        [read_ios, read_sectors, write_ios, write_sectors] => {
            [read_ios, read_sectors, write_ios, write_sectors].map(Some)
        }
        _ => [0, 2, 4, 6].map(of_group),
    };
    Some(GuestDiskStats {
        read_ios,
        read_merges: of_group(1),
        read_sectors,
        read_ticks: of_group(3),
        write_ios,
        write_merges: of_group(5),
        write_sectors,
        write_ticks: of_group(7),
        ios_pgr: of_group(8),
        total_ticks: of_group(9),
        weight_ticks: of_group(10),
        discard_ios: of_group(11),
        discard_merges: of_group(12),
        discard_sectors: of_group(13),
        discard_ticks: of_group(14),
        flush_ios: of_group(15),
        flush_ticks: of_group(16),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(count: u64) -> Option<GuestDiskStats> {
        stats(&(1..=count).collect::<Vec<_>>())
    }

    #[test]
    fn figures_come_in_groups() {
        let last = |count| with(count).map(|stats| (stats.weight_ticks, stats.discard_ticks, stats.flush_ticks));
        assert_eq!(last(3), None);
        assert_eq!(last(10), Some((None, None, None)));
        for count in [11, 14] {
            assert_eq!(last(count), Some((Some(11), None, None)));
        }
        for count in [15, 16] {
            assert_eq!(last(count), Some((Some(11), Some(15), None)));
        }
        for count in [17, 30] {
            assert_eq!(last(count), Some((Some(11), Some(15), Some(17))));
        }
    }

    #[test]
    fn four_figures_are_an_old_partitions() {
        let stats = with(4).unwrap();
        let four = [stats.read_ios, stats.read_sectors, stats.write_ios, stats.write_sectors];
        assert_eq!(four, [Some(1), Some(2), Some(3), Some(4)]);
        assert_eq!(stats.read_merges, None);
        assert_eq!(with(5).unwrap().read_ios, None);
    }

    #[test]
    fn lines_that_tell_of_no_disk_are_passed_over() {
        let text = b"garbage\n 8 0 sda 1 2 3 4\n\n 8 x sdb 1 2 3 4\n 8 1 sdc 1 2 3 x 5\n -8 0 sdd 1 2 3 4\n 7 0 s\xFF 1 2 3 4 x";
        let names: Vec<_> = parse(text).map(|disk| disk.name).collect();
        assert_eq!(names, ["sda", "s\u{FFFD}"]);
    }

    #[test]
    fn hostile_texts_give_a_list() {
        for text in system::hostile(b" 254 0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n 8 1 sda1 1 2 3 4\n") {
            assert!(parse(&text).count() <= text.len());
        }
    }

    #[test]
    fn the_return_fits_the_schema() {
        let text = b"8 0 sda 1 2 3 4\n254 0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 18446744073709551615\n";
        system::assert_fits("guest-get-diskstats", stream::list(parse(text)));
        system::assert_fits("guest-get-diskstats", stream::list(parse(b"")));
    }
}
