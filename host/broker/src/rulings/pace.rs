//! How often each command came lately, for rules with `faster-than`.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// How many calls of one command are remembered. The policy lets nobody ask about more (`faster-than` has at most as many
/// calls); it bounds what a client that never stops costs: 256 KiB for each command that a rule with `faster-than` names, and
/// nothing for the others.
const REMEMBERED: usize = 10_000;

/// When commands came, by a clock that nobody sets. It stands still while the machine sleeps.
#[derive(Debug, Default)]
pub(super) struct Paces {
    /// Of the commands that were asked about, the earliest call first.
    commands: RefCell<HashMap<&'static str, VecDeque<Instant>>>,
}

impl Paces {
    /// `command` comes now, whether it may run or not: who is refused because of being too fast and goes on just as fast stays
    /// refused.
    pub(super) fn called(&mut self, command: &'static str) {
        self.called_at(command, Instant::now());
    }

    /// How often `command` came within a time until now. It is counted from the first time that somebody asks.
    pub(super) fn calls(&self, command: &'static str, within: Duration) -> u32 {
        self.calls_at(command, within, Instant::now())
    }

    fn called_at(&mut self, command: &'static str, now: Instant) {
        let Some(calls) = self.commands.get_mut().get_mut(command) else { return };
        if calls.len() == REMEMBERED {
            calls.pop_front();
        }
        calls.push_back(now);
    }

    fn calls_at(&self, command: &'static str, within: Duration, now: Instant) -> u32 {
        let mut commands = self.commands.borrow_mut();
        let calls = commands.entry(command).or_default();
        let earlier = calls.partition_point(|call| now.saturating_duration_since(*call) > within);
        u32::try_from(calls.len() - earlier).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_policy::{Document, Mode, Policy};

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn only_what_came_within_the_time_counts() {
        let (mut paces, begin) = (Paces::default(), Instant::now());
        assert_eq!(paces.calls_at("guest-exec", MINUTE, begin), 0);
        for seconds in [0, 10, 20] {
            paces.called_at("guest-exec", begin + Duration::from_secs(seconds));
            paces.called_at("guest-ping", begin + Duration::from_secs(seconds));
        }
        let after = |seconds| paces.calls_at("guest-exec", MINUTE, begin + Duration::from_secs(seconds));
        assert_eq!([after(20), after(60), after(61), after(75), after(81)], [3, 3, 2, 1, 0]);
        assert_eq!(paces.commands.borrow().len(), 1, "nobody asks about the other");
    }

    #[test]
    fn a_client_that_never_stops_is_not_remembered_for_ever() {
        let (mut paces, now) = (Paces::default(), Instant::now());
        paces.calls_at("guest-exec", MINUTE, now);
        (0..REMEMBERED + 500).for_each(|_| paces.called_at("guest-exec", now));
        assert_eq!(paces.calls_at("guest-exec", MINUTE, now), 10_000);
    }

    #[test]
    fn a_rule_lets_so_many_through_and_then_none_until_the_client_is_slower() {
        let commands = bulkhead_catalog::commands::names();
        let text = "version = 1\n[[command]]\nnames = [\"*\"]\nmode = \"enforce\"\n\
                    [[command]]\nnames = [\"guest-exec\"]\nmode = \"deny\"\nfaster-than = { calls = 2, seconds = 60 }\n";
        let policy = Policy::merge([Document::parse("p", text, &commands, &[]).unwrap()], &commands, &[]).unwrap();
        let (mut paces, begin) = (Paces::default(), Instant::now());
        let mut runs = |command: &'static str, seconds| {
            let now = begin + Duration::from_secs(seconds);
            let verdict = policy.command(command, false, |within| paces.calls_at(command, within, now)).mode;
            paces.called_at(command, now);
            verdict != Mode::Deny
        };
        assert_eq!(
            [0, 1, 2, 30, 61, 200].map(|seconds| runs("guest-exec", seconds)),
            [true, true, false, false, false, true]
        );
        assert!((0..100).all(|_| runs("guest-ping", 200)));
    }
}
