//! How an installed module does: its probation, and how often it has failed since.
//!
//! A failure is a trap, a limit that was overrun, a return that is not JSON, or a call in which an agent has ended
//! (`host/src/under_way.rs`). An error that a module answers is none, nor is what the policy denies it.

use bulkhead_policy::ModuleTerms;
use std::collections::VecDeque;
use std::time::Instant;

/// Of one version of a module, since it began to serve.
#[derive(Debug)]
pub(crate) struct Health {
    proven: bool,
    /// Good calls of the probation.
    calls: u32,
    /// When it failed, the last time at the end. No longer than the terms' number of failures.
    failures: VecDeque<Instant>,
}

impl Health {
    /// Of a version that begins to serve; `proven` if it has come through its probation before.
    pub(crate) fn new(proven: bool) -> Self {
        Health { proven, calls: 0, failures: VecDeque::new() }
    }

    /// Whether it has come through its probation.
    pub(crate) fn is_proven(&self) -> bool {
        self.proven
    }

    /// Good calls of its probation so far.
    pub(crate) fn calls(&self) -> u32 {
        self.calls
    }

    /// It has answered. True if that ends its probation.
    pub(crate) fn answered(&mut self, terms: &ModuleTerms) -> bool {
        if self.proven {
            return false;
        }
        self.calls = self.calls.saturating_add(1);
        self.proven = self.calls >= terms.probation;
        self.proven
    }

    /// It has failed. Says why it must not run any more, if it must not.
    pub(crate) fn failed(&mut self, terms: &ModuleTerms, now: Instant) -> Option<String> {
        if !self.proven && self.calls < terms.probation {
            return Some(format!("in call {} of its probation of {}", self.calls + 1, terms.probation));
        }
        let strikes = terms.strikes;
        self.failures.push_back(now);
        self.failures.retain(|at| now.duration_since(*at) <= strikes.within);
        if self.failures.len() < strikes.failures as usize {
            return None;
        }
        Some(match strikes.failures {
            1 => "for the policy allows no failure".to_owned(),
            failures => format!("which is {failures} failures within {} s", strikes.within.as_secs()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_policy::Strikes;
    use std::time::Duration;

    fn terms(probation: u32, failures: u32) -> ModuleTerms {
        let strikes = Strikes { failures, within: Duration::from_secs(600) };
        ModuleTerms { may_replace: false, probation, strikes }
    }

    #[test]
    fn one_failure_ends_a_probation_and_so_do_enough_good_calls() {
        let terms = terms(2, 3);
        let mut health = Health::new(false);
        assert!(!health.answered(&terms));
        assert_eq!(health.failed(&terms, Instant::now()).unwrap(), "in call 2 of its probation of 2");
        let mut health = Health::new(false);
        assert!(!health.answered(&terms) && health.answered(&terms) && health.is_proven());
        assert!(!health.answered(&terms), "it ends once");
        assert_eq!(health.failed(&terms, Instant::now()), None);
    }

    #[test]
    fn failures_count_as_long_as_the_policy_says() {
        let (terms, begin) = (terms(20, 3), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut health = Health::new(true);
        assert_eq!(health.failed(&terms, at(0)), None);
        assert_eq!(health.failed(&terms, at(500)), None);
        assert_eq!(health.failed(&terms, at(700)), None, "the first one is forgotten");
        assert_eq!(health.failed(&terms, at(1000)).unwrap(), "which is 3 failures within 600 s");
    }

    #[test]
    fn without_a_probation_strikes_count_from_the_first_call_on() {
        assert_eq!(Health::new(false).failed(&terms(0, 2), Instant::now()), None);
        assert!(Health::new(false).failed(&terms(0, 1), Instant::now()).is_some());
    }
}
