//! Lines that say the same one after the other: the first is written, of the others how many there were.

use crate::budget::Kind;
use crate::{Entry, Members, rfc3339};
use std::time::{Duration, Instant, SystemTime};

/// After so long the count is written, and the next one is written whole again. It bounds what an agent that is killed takes with
/// it, and shows that a flood goes on; it costs two lines a minute.
const PERIOD: Duration = Duration::from_secs(60);

/// The line that was written last, if others may be like it.
#[derive(Debug)]
pub(crate) struct Repeats {
    like: String,
    since: Instant,
    times: u64,
    until: SystemTime,
}

impl Repeats {
    /// After a line was written.
    pub(crate) fn after(like: String, now: Instant) -> Self {
        Repeats { like, since: now, times: 0, until: SystemTime::UNIX_EPOCH }
    }

    /// Counts `entry`, if it says the same.
    pub(crate) fn take(&mut self, entry: &Entry, now: Instant) -> bool {
        let is_same = entry.like.as_deref() == Some(&self.like) && now.saturating_duration_since(self.since) < PERIOD;
        if is_same {
            self.times += 1;
            self.until = SystemTime::now();
        }
        is_same
    }

    /// The line that tells how many they were, if any. `begin` makes what every line begins with.
    pub(crate) fn told(&self, begin: impl FnOnce(SystemTime) -> Members) -> Option<Entry> {
        if self.times == 0 {
            return None;
        }
        let mut members = begin(SystemTime::now());
        members.text("event", "repeated").number("times", self.times).text("until", &rfc3339(self.until));
        let message = format!("the same {} times more", self.times);
        let fields = vec![("BULKHEAD_EVENT", "repeated".to_owned())];
        Some(Entry { members, message, priority: 6, fields, kind: Kind::Event, like: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_counted_for_a_while() {
        let entry = |like: Option<&str>| Entry { like: like.map(str::to_owned), ..Entry::default() };
        let begin = Instant::now();
        let mut repeats = Repeats::after("a".to_owned(), begin);
        assert!(repeats.told(|_| Members::default()).is_none());
        assert!(repeats.take(&entry(Some("a")), begin) && repeats.take(&entry(Some("a")), begin));
        assert!(!repeats.take(&entry(Some("b")), begin) && !repeats.take(&entry(None), begin));
        assert!(!repeats.take(&entry(Some("a")), begin + PERIOD));
        let told = repeats.told(|_| Members::default()).unwrap();
        assert!(told.members.as_str().starts_with(r#""event":"repeated","times":2,"until":""#));
    }
}
