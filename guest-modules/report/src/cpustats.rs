//! `guest-get-cpustats`: how each processor has spent its time.

use crate::figures::{figure, figures};
use crate::schema::{GuestCpuStats, GuestGetCpustatsArguments, GuestLinuxCpuStats};
use crate::{stream, system};
use bulkhead_module::{CommandError, Tail};

/// Milliseconds in a tick of /proc/stat. The kernel counts in other units and gives these to programs, 100 in a second on
/// all processors that the agent runs on (`USER_HZ`).
const MILLISECONDS: u64 = 10;

/// Tells it for each processor that is switched on.
pub fn cpustats(_: GuestGetCpustatsArguments) -> Result<Tail, CommandError> {
    Ok(stream::list(parse(&system::read_or_error("/proc/stat")?)))
}

/// `cpu0 10132153 290696 3084719 46828483 16683 0 25195 0 175628 0`, proc_stat(5); how many figures there are depends on the
/// kernel's age. As in qemu-ga, a processor's line with less than four ends the list.
fn parse(text: &[u8]) -> impl Iterator<Item = GuestCpuStats> {
    system::lines(text).filter_map(processor).map_while(|(cpu, words)| stats(cpu, &figures(words)))
}

/// The number of the processor whose line it is, and the words behind it.
fn processor(line: &[u8]) -> Option<(i64, impl Iterator<Item = &str>)> {
    let mut words = str::from_utf8(line).ok()?.split_ascii_whitespace();
    let number = figure(words.next()?.strip_prefix("cpu")?)?;
    Some((i64::try_from(number).ok()?, words))
}

fn stats(cpu: i64, ticks: &[u64]) -> Option<GuestCpuStats> {
    let time = |index: usize| ticks.get(index).map(|ticks| ticks.saturating_mul(MILLISECONDS));
    Some(GuestCpuStats::Linux(GuestLinuxCpuStats {
        cpu,
        user: time(0)?,
        nice: time(1)?,
        system: time(2)?,
        idle: time(3)?,
        iowait: time(4),
        irq: time(5),
        softirq: time(6),
        steal: time(7),
        guest: time(8),
        guestnice: time(9),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<GuestLinuxCpuStats> {
        parse(text.as_bytes()).map(|GuestCpuStats::Linux(stats)| stats).collect()
    }

    #[test]
    fn ticks_become_milliseconds_for_each_processor() {
        let stats = parsed("cpu  5 5 5 5\ncpu0 1 2 3 4 5 6 7 8 9 10 11\nintr 5\ncpu3 1 2 3 4 5\n");
        assert_eq!(stats.iter().map(|stats| stats.cpu).collect::<Vec<_>>(), [0, 3], "the sum of all is left out");
        assert_eq!((stats[0].user, stats[0].idle, stats[0].guestnice), (10, 40, Some(100)));
        assert_eq!((stats[1].iowait, stats[1].irq), (Some(50), None));
    }

    #[test]
    fn a_short_line_ends_the_list() {
        let stats = parsed("cpu0 1 2 3 4\ncpu1 1 2 x 4\ncpu2 1 2 3 4\n");
        assert_eq!(stats.len(), 1);
    }

    #[test]
    fn a_line_of_something_else_does_not() {
        assert_eq!(parsed("cpux 1 2 3 4\ncpu-1 1 2 3 4\ncpufreq 1\ncpu1 1 2 3 4\n")[0].cpu, 1);
    }

    #[test]
    fn a_time_that_is_too_long_is_the_longest() {
        assert_eq!(parsed("cpu0 18446744073709551615 1844674407370955161 0 0\n")[0].user, u64::MAX);
        assert_eq!(parsed("cpu0 18446744073709551615 1844674407370955161 0 0\n")[0].nice, 18_446_744_073_709_551_610);
    }

    #[test]
    fn hostile_texts_give_a_list() {
        for text in system::hostile(b"cpu  1 2 3 4\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu1 1 2 3 4\nintr 9\n") {
            assert!(parse(&text).count() <= text.len());
        }
    }

    #[test]
    fn the_return_fits_the_schema() {
        let text = b"cpu0 1 2 3 4\ncpu1 1 2 3 4 5 6 7 8 9 18446744073709551615\n";
        system::assert_fits("guest-get-cpustats", stream::list(parse(text)));
    }
}
