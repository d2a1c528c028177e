//! How fast lines may come from one place in the program, so that neither a client nor a module decides how much is written to
//! the owner's disk, and none of them hides what another part of the agent has to say.

use super::level::Level;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tracing::callsite::Identifier;

/// After so long a source may speak again, and says how much it did not say. It bounds how late the owner hears of that.
const PERIOD: Duration = Duration::from_secs(60);

/// How many times the lines of another source those may be that tell of commands which have acted: each stands for something that
/// was done.
const ACTS: u32 = 5;

/// The same of what is only shown if the owner has asked for it (`-v`): each request is a line.
const DETAILS: u32 = 50;

/// All sources of lines: places in the program, of which there are some dozens.
#[derive(Debug)]
pub(super) struct Pace {
    /// Lines of one source in a [`PERIOD`]; 0 is without a limit.
    rate: u32,
    sources: HashMap<Identifier, Source>,
    repeated: u64,
    left_out: u64,
}

#[derive(Debug)]
struct Source {
    since: Instant,
    level: Level,
    lines: u32,
    last: String,
    /// How often the last line came again.
    repeated: u64,
    /// What came when there was no more room.
    left_out: u64,
}

impl Pace {
    pub(super) fn new(rate: u32) -> Self {
        Pace { rate, sources: HashMap::new(), repeated: 0, left_out: 0 }
    }

    /// A source speaks. Returns what may be written: the text, and before it the counts of what was not.
    pub(super) fn pass(
        &mut self,
        source: Identifier,
        level: Level,
        is_act: bool,
        text: String,
        now: Instant,
    ) -> Vec<String> {
        let fresh = || Source { since: now, level, lines: 0, last: String::new(), repeated: 0, left_out: 0 };
        let source = self.sources.entry(source).or_insert_with(fresh);
        let most = match level {
            Level::Info | Level::Debug => self.rate.saturating_mul(DETAILS),
            Level::Notice if is_act => self.rate.saturating_mul(ACTS),
            Level::Notice | Level::Warning | Level::Error => self.rate,
        };
        let mut passed = Vec::new();
        if now.saturating_duration_since(source.since) >= PERIOD {
            passed.extend(source.counts());
            (source.since, source.lines) = (now, 0);
        } else if level <= Level::Warning && source.lines > 0 && source.last == text {
            source.repeated += 1;
            self.repeated += 1;
            return passed;
        }
        if self.rate > 0 && source.lines >= most {
            if source.left_out == 0 {
                passed.push(format!(
                    "more lines like this come too fast, and are only counted for some time: {}",
                    source.last
                ));
            }
            source.left_out += 1;
            self.left_out += 1;
            return passed;
        }
        passed.extend(source.counts());
        source.lines += 1;
        source.last.clone_from(&text);
        passed.push(text);
        passed
    }

    /// The counts of all that was not written.
    pub(super) fn finish(&mut self) -> Vec<(Level, String)> {
        self.sources.values_mut().flat_map(|source| source.counts().map(|text| (source.level, text))).collect()
    }

    pub(super) fn repeated(&self) -> u64 {
        self.repeated
    }

    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }
}

impl Source {
    /// What was not written since it was told last.
    fn counts(&mut self) -> impl Iterator<Item = String> + use<> {
        let (repeated, left_out) = (std::mem::take(&mut self.repeated), std::mem::take(&mut self.left_out));
        let times = if repeated == 1 { "once".to_owned() } else { format!("{repeated} times") };
        let repeated = (repeated > 0).then(|| format!("{times} more: {}", self.last));
        let (lines, were) = if left_out == 1 { ("line", "was") } else { ("lines", "were") };
        let left_out =
            (left_out > 0).then(|| format!("{left_out} more {lines} like this {were} not logged: {}", self.last));
        repeated.into_iter().chain(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::callsite::Callsite;
    use tracing::{Metadata, subscriber::Interest};

    struct Place;

    impl Callsite for Place {
        fn set_interest(&self, _: Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            unreachable!("nobody asks")
        }
    }

    static PLACE: Place = Place;

    fn pass(pace: &mut Pace, level: Level, text: &str, at: Instant) -> Vec<String> {
        pace.pass(Identifier(&PLACE), level, level == Level::Notice, text.to_owned(), at)
    }

    #[test]
    fn a_warning_that_comes_again_is_counted_until_its_time_is_over() {
        let (mut pace, begin) = (Pace::new(10), Instant::now());
        assert_eq!(pass(&mut pace, Level::Warning, "a", begin), ["a"]);
        assert!((0..100).all(|_| pass(&mut pace, Level::Warning, "a", begin).is_empty()));
        assert_eq!(pass(&mut pace, Level::Warning, "b", begin), ["100 times more: a", "b"]);
        assert!(pass(&mut pace, Level::Warning, "b", begin + PERIOD / 2).is_empty());
        assert_eq!(pass(&mut pace, Level::Warning, "b", begin + PERIOD), ["once more: b", "b"]);
        assert_eq!((pace.repeated(), pace.left_out()), (101, 0));
    }

    #[test]
    fn what_acts_is_told_each_time_and_has_more_room() {
        let (mut pace, begin) = (Pace::new(10), Instant::now());
        let told = (0..100).filter(|_| !pass(&mut pace, Level::Notice, "exec", begin).is_empty()).count();
        assert_eq!(told, 51, "the last one says that it is the last");
        assert_eq!(
            pass(&mut pace, Level::Notice, "exec", begin + PERIOD),
            ["50 more lines like this were not logged: exec", "exec"]
        );
        let mut pace = Pace::new(0);
        assert!((0..100_000).all(|_| pass(&mut pace, Level::Notice, "exec", begin).len() == 1));
    }

    #[test]
    fn what_was_not_told_is_told_at_the_end() {
        let (mut pace, now) = (Pace::new(1), Instant::now());
        ["a", "a", "b", "c"].iter().for_each(|text| drop(pass(&mut pace, Level::Error, text, now)));
        let told: Vec<String> = pace.finish().into_iter().map(|(_, text)| text).collect();
        assert_eq!(told, ["once more: a", "2 more lines like this were not logged: a"]);
        assert!(pace.finish().is_empty());
    }
}
