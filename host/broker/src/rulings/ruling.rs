//! May a command run now, and who says so? The dispatcher asks before it runs one, guest-info tells clients what would come of
//! asking, and the owner's tools explain it: all of them ask here.

use super::{Lists, is_usable};
use bulkhead_catalog::commands::Command;
use bulkhead_policy::{Mode, Origin, Policy};
use std::fmt;
use std::time::Duration;

/// The command that ends the frozen state.
const THAW: &str = "guest-fsfreeze-thaw";

/// The command that tells whether there is something to thaw.
const STATUS: &str = "guest-fsfreeze-status";

/// Whether `command` ends the frozen state.
pub(crate) fn is_thaw(command: &str) -> bool {
    command == THAW
}

/// Whether `command` is one of those by which a client gets out of the frozen state. No limit of the owner's may leave it in
/// there: neither how often it asks nor how much the module may use.
pub(crate) fn leads_out(command: &str) -> bool {
    is_thaw(command) || command == STATUS
}

/// Whether a command may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Whether, and how.
    pub mode: Mode,
    /// Who says so.
    pub by: By,
}

/// Who says whether a command may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// A rule of the policy.
    Rule(Origin),
    /// No rule of the policy speaks of the command.
    NoRule,
    /// A rule of the policy permits it, but nothing grants its module what it cannot do without.
    NoGrant,
    /// The lists of the command line and the configuration file.
    Lists,
    /// The frozen state, in which it could not be done.
    Frozen,
    /// Its module, which cannot be loaded.
    Module,
    /// The frozen state, which it ends.
    Thaw,
    /// Nobody: there is no such command.
    Unknown,
}

impl Ruling {
    fn deny(by: By) -> Self {
        Ruling { mode: Mode::Deny, by }
    }

    /// There is no such command.
    pub fn unknown() -> Self {
        Ruling::deny(By::Unknown)
    }

    /// Its module cannot be loaded.
    pub fn broken() -> Self {
        Ruling::deny(By::Module)
    }

    /// About `command`, in this state, under the owner's lists and policy. `calls` tells how often it came within a time until
    /// now.
    ///
    /// While file systems are frozen the lists do not count, as for qemu-ga; and a thaw runs whatever the policy says: who
    /// freezes must be able to thaw, and a policy may change in between. A vendor's command then runs only if the owner says so
    /// of the frozen state.
    pub fn of(
        command: &Command,
        frozen: bool,
        lists: &Lists,
        policy: &Policy,
        calls: impl Fn(Duration) -> u32,
    ) -> Self {
        if !lists.permit(command, frozen) {
            return Ruling::deny(if frozen { By::Frozen } else { By::Lists });
        }
        if frozen && !may_run_while_frozen(command, policy) {
            return Ruling::deny(By::Frozen);
        }
        if frozen && is_thaw(command.name) {
            return Ruling { mode: Mode::Enforce, by: By::Thaw };
        }
        let is_unhurried = frozen && leads_out(command.name);
        let verdict = policy.command(command.name, frozen, |within| if is_unhurried { 0 } else { calls(within) });
        if verdict.mode == Mode::Enforce && !is_usable(command, policy) {
            return Ruling::deny(By::NoGrant);
        }
        Ruling { mode: verdict.mode, by: verdict.rule.map_or(By::NoRule, |rule| By::Rule(rule.origin.clone())) }
    }

    /// Whether it may.
    pub fn permits(&self) -> bool {
        self.mode != Mode::Deny
    }
}

/// Whether `command` runs at all while file systems are frozen. What a vendor says of its own command is not enough: if it
/// writes after all, it waits for a thaw that never comes.
pub fn may_run_while_frozen(command: &Command, policy: &Policy) -> bool {
    command.allowed_while_frozen && (command.installed.is_none() || policy.lets_run_while_frozen(command.name))
}

/// The words of the audit.
impl fmt::Display for By {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            By::Rule(origin) => return origin.fmt(formatter),
            By::NoRule => "no rule",
            By::NoGrant => "no grant",
            By::Lists => "lists",
            By::Frozen => "frozen",
            By::Module => "module",
            By::Thaw => "thaw",
            By::Unknown => "unknown",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_catalog::commands::{self, find};
    use bulkhead_catalog::modules;
    use bulkhead_policy::Document;

    fn by(rules: &str, block: &[&str], command: &str, frozen: bool) -> (bool, String) {
        let (commands, modules) = (commands::names(), modules::names());
        let document = Document::parse("p", &format!("version = 1\n{rules}"), &commands, &modules).unwrap();
        let policy = Policy::merge([document], &commands, &modules).unwrap();
        let lists = Lists { block: block.iter().map(|name| (*name).to_owned()).collect(), allow: Vec::new() };
        let ruling = Ruling::of(find(command).unwrap(), frozen, &lists, &policy, |_| 0);
        (ruling.permits(), ruling.by.to_string())
    }

    fn ruled(rules: &str, command: &Command, calls: u32) -> (bool, String) {
        let (commands, modules) = (commands::names(), modules::names());
        let document = Document::parse("p", &format!("version = 1\n{rules}"), &commands, &modules).unwrap();
        let policy = Policy::merge([document], &commands, &modules).unwrap();
        let ruling = Ruling::of(command, true, &Lists::default(), &policy, |_| calls);
        (ruling.permits(), ruling.by.to_string())
    }

    #[test]
    fn a_vendors_word_is_not_enough_to_run_while_frozen() {
        let it = commands::installed(Vec::new(), Vec::new());
        let command = Command {
            name: "__com.example_x",
            module: "com.example.x",
            installed: Some(it),
            ..*find("guest-fsfreeze-status").unwrap()
        };
        let rule = |names: &str, more: &str| format!("[[command]]\nnames = [\"{names}\"]\nmode = \"enforce\"\n{more}");
        let refused = (false, "frozen".to_owned());
        assert_eq!(ruled(&rule("*", ""), &command, 0), refused);
        assert_eq!(ruled(&rule("__com.example_x", ""), &command, 0), refused);
        assert_eq!(ruled(&rule("*", "while = \"frozen\"\n"), &command, 0), refused, "it does not name the command");
        let frozen = rule("__com.example_x", "while = \"frozen\"\n");
        assert_eq!(ruled(&frozen, &command, 0), (true, "p:2:1".to_owned()));
        let undeclared = Command { allowed_while_frozen: false, ..command };
        assert_eq!(ruled(&frozen, &undeclared, 0), refused, "nor is the owner's alone");
    }

    #[test]
    fn no_pace_keeps_a_client_in_the_frozen_state() {
        let rules = "[[command]]\nnames = [\"*\"]\nmode = \"enforce\"\n\
                     [[command]]\nnames = [\"*\"]\nmode = \"deny\"\nfaster-than = { calls = 1, seconds = 60 }\n";
        let ruled = |command| ruled(rules, find(command).unwrap(), 9);
        assert_eq!(ruled("guest-fsfreeze-thaw"), (true, "thaw".to_owned()));
        assert_eq!(ruled("guest-fsfreeze-status"), (true, "p:2:1".to_owned()));
        assert_eq!(ruled("guest-info"), (false, "p:5:1".to_owned()));
        let denied = "[[command]]\nnames = [\"guest-fsfreeze-status\"]\nmode = \"deny\"\n";
        assert!(!super::tests::ruled(denied, find("guest-fsfreeze-status").unwrap(), 0).0, "but an owner's word does");
    }

    #[test]
    fn each_refusal_names_who_refuses() {
        let all = "[[command]]\nnames = [\"*\"]\nmode = \"enforce\"\n";
        let said = |permits: bool, by: &str| (permits, by.to_owned());
        assert_eq!(by(all, &[], "guest-ping", false), said(true, "p:2:1"));
        assert_eq!(by(all, &["guest-ping"], "guest-ping", false), said(false, "lists"));
        assert_eq!(by(all, &["guest-ping"], "guest-ping", true), said(true, "p:2:1"));
        assert_eq!(by(all, &[], "guest-exec-status", false), said(false, "no grant"));
        assert_eq!(by(&all.replace("enforce", "observe"), &[], "guest-exec-status", false), said(true, "p:2:1"));
        assert_eq!(by(&all.replace("enforce", "deny"), &[], "guest-ping", false), said(false, "p:2:1"));
        assert_eq!(by("", &[], "guest-ping", false), said(false, "no rule"));
        assert_eq!(by(all, &[], "guest-exec", true), said(false, "frozen"));
        assert_eq!(by("", &[], "guest-fsfreeze-thaw", true), said(true, "thaw"));
        assert_eq!(by("", &[], "guest-fsfreeze-thaw", false), said(false, "no rule"));
    }
}
