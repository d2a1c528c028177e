//! What becomes of a command under a policy, in few words.

use bulkhead_broker::rulings::{By, Lists, Ruling};
use bulkhead_catalog::commands::Command;
use bulkhead_policy::{CommandRule, Mode, Origin, Policy};
use std::fmt::{self, Display, Formatter};

/// What becomes of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome<'a> {
    /// What, as long as it does not come too fast.
    pub(super) end: End,
    /// The rules that deny it when it comes too fast.
    pub(super) paces: Vec<&'a CommandRule>,
    /// The rule that decides; none if it is no rule, or no rule speaks of it.
    pub(super) rule: Option<&'a Origin>,
}

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// The agent itself does not run it while file systems are frozen.
    NotFrozen,
    /// The policy does not permit it.
    Denied,
    /// It is permitted, and of no use: nothing that it needs is.
    Useless,
    /// It runs, and does what the grants permit.
    Runs,
    /// It runs, and is allowed what the grants deny.
    Observed,
}

impl<'a> Outcome<'a> {
    /// Of `command` in this state.
    pub(super) fn of(command: &Command, frozen: bool, policy: &'a Policy) -> Self {
        let verdict = policy.command(command.name, frozen, |_| 0);
        let ruling = Ruling::of(command, frozen, &Lists::default(), policy, |_| 0);
        let end = match (&ruling.by, ruling.mode) {
            (By::Frozen, _) => End::NotFrozen,
            (By::NoGrant, _) => End::Useless,
            (_, Mode::Deny) => End::Denied,
            (_, Mode::Enforce) => End::Runs,
            (_, Mode::Observe) => End::Observed,
        };
        if matches!(ruling.by, By::Frozen | By::Thaw) {
            return Outcome { end, paces: Vec::new(), rule: None };
        }
        let paced = |rule: &&CommandRule| rule.faster_than.is_some() && rule.concerns(command.name, frozen);
        let paces = if end == End::Denied { Vec::new() } else { policy.commands.iter().filter(paced).collect() };
        Outcome { end, paces, rule: verdict.rule.map(|rule| &rule.origin) }
    }

    /// Whether a client can do more with it than with `other`. Of two that are as good otherwise, the one with fewer paces.
    pub(super) fn is_better_than(&self, other: &Outcome<'_>) -> bool {
        (self.end, other.paces.len()) > (other.end, self.paces.len())
    }
}

impl Display for Outcome<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self.end {
            End::NotFrozen => "-",
            End::Denied => "denied",
            End::Useless => "nothing granted",
            End::Runs => "runs",
            End::Observed => "observed",
        })?;
        for pace in self.paces.iter().filter_map(|rule| rule.faster_than) {
            write!(out, ", {} in {}s", pace.calls, pace.within.as_secs())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::known::testing::policy;
    use bulkhead_broker::policy_files::profile;
    use bulkhead_catalog::commands;

    fn words(policy: &Policy, command: &str, frozen: bool) -> String {
        Outcome::of(commands::find(command).unwrap(), frozen, policy).to_string()
    }

    #[test]
    fn it_is_what_the_agent_would_do() {
        let standard = profile("standard");
        assert_eq!(words(&standard, "guest-ping", false), "runs");
        assert_eq!(words(&standard, "guest-exec", false), "denied");
        assert_eq!(words(&standard, "guest-get-time", true), "-");
        let bare = policy("[[command]]\nnames = [\"*\"]\nmode = \"enforce\"\n");
        assert_eq!(words(&bare, "guest-exec", false), "nothing granted");
        assert_eq!(words(&bare, "guest-ping", true), "runs", "it needs nothing");
        let nothing = policy("");
        assert_eq!(words(&nothing, "guest-fsfreeze-thaw", false), "denied");
        assert_eq!(words(&nothing, "guest-fsfreeze-thaw", true), "runs", "who freezes must be able to thaw");
    }

    #[test]
    fn a_pace_is_told_and_is_worse_than_none() {
        let slow = "[[command]]\nnames = [\"*\"]\nmode = \"observe\"\n\
                    [[command]]\nnames = [\"guest-exec\"]\nmode = \"deny\"\nfaster-than = { calls = 5, seconds = 60 }\n";
        let (slow, fast) = (policy(slow), policy("[[command]]\nnames = [\"*\"]\nmode = \"observe\"\n"));
        assert_eq!(words(&slow, "guest-exec", false), "observed, 5 in 60s");
        let of = |policy| Outcome::of(commands::find("guest-exec").unwrap(), false, policy);
        assert!(of(&fast).is_better_than(&of(&slow)) && !of(&slow).is_better_than(&of(&fast)));
        assert!(of(&slow).is_better_than(&of(&policy(""))));
    }
}
