//! How fast lines may come, so that no client decides how much is written to the owner's disk.
//!
//! Each kind of line has a share of its own: however many requests are refused, the line of a command that acts finds room.

use std::fmt::Write;
use std::time::{Duration, Instant};

/// What a line is about: which share pays for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The agent itself. Never left out: a client cannot cause them as often as it likes.
    #[default]
    Event,
    /// A command that has changed something, or may have.
    Acted,
    /// A command that has opened or written a file, and done nothing else: there may be thousands of them for one file that is copied.
    Files,
    /// A command that tried to, and has answered an error.
    Failed,
    /// A command that did not run.
    Refused,
    /// A message that is not a request.
    Rejected,
    /// Any other command: it has told something.
    Read,
}

impl Kind {
    /// Those that have a share, with the word for each in a line.
    const SHARES: [(Kind, &str); 6] = [
        (Kind::Acted, "acted"),
        (Kind::Files, "files"),
        (Kind::Failed, "failed"),
        (Kind::Refused, "refused"),
        (Kind::Rejected, "rejected"),
        (Kind::Read, "read"),
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        self.index().map_or("event", |index| Kind::SHARES[index].1)
    }

    fn index(self) -> Option<usize> {
        Kind::SHARES.iter().position(|(kind, _)| *kind == self)
    }
}

/// How many minutes' worth of lines may come at once, if few came before: for a client that copies a large file, or asks for
/// everything when it starts.
const MINUTES_AT_ONCE: u64 = 16;

/// How many times the share of another kind that of commands which act is, and that of commands which move files. They are what an
/// audit is for; and who may run programs or write files has other ways to fill a disk.
const ACTED: u64 = 4;

/// Of a share that was used up, how much must be there again before it is used, in bytes: then a number of lines come together,
/// with one line about those that are missing, and not one such line for each.
const AGAIN: u64 = 16 * 1024;

/// All shares.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Bytes for each minute and kind; 0 is without a limit.
    rate: u64,
    shares: [Option<Share>; Kind::SHARES.len()],
}

/// What is left of a share.
#[derive(Debug)]
struct Share {
    bytes: u64,
    at: Instant,
    is_used_up: bool,
}

/// Whether a line may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admitted {
    Yes,
    /// It is the first of its kind that may not.
    NoMore,
    No,
}

impl Budget {
    pub(crate) fn new(rate: u64) -> Self {
        Budget { rate, shares: Default::default() }
    }

    /// Takes a line of so many bytes from its share.
    pub(crate) fn admits(&mut self, kind: Kind, bytes: u64, now: Instant) -> Admitted {
        let Some(index) = kind.index().filter(|_| self.rate > 0) else { return Admitted::Yes };
        let rate = self.rate.saturating_mul(if matches!(kind, Kind::Acted | Kind::Files) { ACTED } else { 1 });
        let most = rate.saturating_mul(MINUTES_AT_ONCE);
        let share = self.shares[index].get_or_insert(Share { bytes: most, at: now, is_used_up: false });
        share.refill(rate, most, now);
        let needed = if share.is_used_up { bytes.max(AGAIN.min(most)) } else { bytes };
        if share.bytes < needed {
            let was_used_up = std::mem::replace(&mut share.is_used_up, true);
            return if was_used_up { Admitted::No } else { Admitted::NoMore };
        }
        share.is_used_up = false;
        share.bytes -= bytes.min(share.bytes);
        Admitted::Yes
    }
}

impl Share {
    fn refill(&mut self, rate: u64, most: u64, now: Instant) {
        let nanos = now.saturating_duration_since(self.at).as_nanos();
        let more = u64::try_from(nanos * u128::from(rate) / Duration::from_secs(60).as_nanos()).unwrap_or(u64::MAX);
        // Else a client that asks often enough would never get anything.
        if more > 0 {
            self.at = now;
            self.bytes = self.bytes.saturating_add(more).min(most);
        }
    }
}

/// Lines that are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Missing {
    /// All of them.
    pub(crate) lines: u64,
    /// Those that were left out because they came too fast, by kind.
    left_out: [u64; Kind::SHARES.len()],
}

impl Missing {
    /// So many could not be kept.
    pub(crate) fn lost(&mut self, lines: u64) {
        self.lines = self.lines.saturating_add(lines);
    }

    /// One of this kind came too fast.
    pub(crate) fn left_out(&mut self, kind: Kind) {
        self.lost(1);
        if let Some(index) = kind.index() {
            self.left_out[index] += 1;
        }
    }

    pub(crate) fn add(&mut self, other: &Missing) {
        self.lost(other.lines);
        self.left_out.iter_mut().zip(other.left_out).for_each(|(mine, more)| *mine += more);
    }

    /// How many came too fast.
    pub(crate) fn too_fast(&self) -> u64 {
        self.left_out.iter().sum()
    }

    /// How many of which kind came too fast, as the inside of a JSON object.
    pub(crate) fn by_kind(&self) -> String {
        let mut text = String::new();
        for ((_, word), count) in Kind::SHARES.iter().zip(self.left_out).filter(|(_, count)| *count > 0) {
            // Writing to a string does not fail.
            let _ = write!(text, "{}\"{word}\":{count}", if text.is_empty() { "" } else { "," });
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many lines of `bytes` are admitted, of a client that goes on until none is.
    fn burst(budget: &mut Budget, kind: Kind, bytes: u64, now: Instant) -> u64 {
        (0..).take_while(|_| budget.admits(kind, bytes, now) == Admitted::Yes).count() as u64
    }

    #[test]
    fn a_share_is_used_up_and_comes_back_with_time() {
        let (mut budget, begin) = (Budget::new(60_000), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert_eq!(burst(&mut budget, Kind::Read, 1000, begin), 60 * MINUTES_AT_ONCE);
        assert_eq!(budget.admits(Kind::Read, 1000, at(5)), Admitted::No, "too few to be worth a line about the others");
        assert_eq!(burst(&mut budget, Kind::Read, 1000, at(20)), 20);
        assert_eq!(
            burst(&mut budget, Kind::Read, 1000, at(100_000)),
            60 * MINUTES_AT_ONCE,
            "and no more than at first"
        );
    }

    #[test]
    fn no_kind_takes_from_another() {
        let (mut budget, now) = (Budget::new(60_000), Instant::now());
        for noise in [Kind::Read, Kind::Refused, Kind::Rejected, Kind::Failed] {
            assert_eq!(burst(&mut budget, noise, 1000, now), 60 * MINUTES_AT_ONCE);
            assert_eq!(budget.admits(noise, 1000, now), Admitted::No);
        }
        assert_eq!(burst(&mut budget, Kind::Acted, 1000, now), ACTED * 60 * MINUTES_AT_ONCE);
        assert_eq!(budget.admits(Kind::Event, u64::MAX, now), Admitted::Yes);
    }

    #[test]
    fn a_client_that_asks_without_pause_is_not_starved() {
        let (mut budget, begin) = (Budget::new(60_000), Instant::now());
        burst(&mut budget, Kind::Read, 1000, begin);
        let asked = (0..60_000_u64)
            .filter(|millis| budget.admits(Kind::Read, 1000, begin + Duration::from_millis(*millis)) == Admitted::Yes);
        assert!((40..=60).contains(&asked.count()));
    }

    #[test]
    fn without_a_rate_all_are_written() {
        let (mut budget, now) = (Budget::new(0), Instant::now());
        assert!((0..100_000).all(|_| budget.admits(Kind::Read, 1 << 20, now) == Admitted::Yes));
    }

    #[test]
    fn what_is_missing_is_told_by_kind() {
        let mut missing = Missing::default();
        missing.lost(3);
        missing.left_out(Kind::Read);
        missing.left_out(Kind::Read);
        missing.left_out(Kind::Acted);
        let mut sum = Missing::default();
        sum.add(&missing);
        assert_eq!((sum.lines, sum.too_fast(), sum.by_kind().as_str()), (6, 3, r#""acted":1,"read":2"#));
    }
}
