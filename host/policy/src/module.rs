//! Rules about the life of modules: which may take the place of a built-in one, and how long a new version is watched.

use crate::error::{Origin, PolicyError};
use crate::names::{covers, modules_fault};
use crate::policy::Policy;
use crate::table::{Item, Table};
use std::cmp::Reverse;
use std::time::Duration;

/// The longest probation that a rule may ask for, in calls. It bounds how long a version can be put back for what it did once;
/// whoever wants to watch a module for ever has `strikes`.
const LONGEST_PROBATION: i64 = 10_000;

/// The most failures that a rule may wait for. Whoever counts keeps the time of each, so this bounds the memory that a failing
/// module can use up; after a thousand it has been failing for long enough.
const MOST_FAILURES: i64 = 1000;

/// The longest time over which failures are counted, in seconds: a day. Failures that are further apart have different
/// causes most of the time, and whoever counts forgets them when the agent starts again.
const LONGEST_MEMORY: i64 = 86_400;

/// The probation of a module of which no rule speaks, in calls. A module that fails at all most often fails at once; twenty calls see
/// each command of a small module a few times.
const PROBATION: u32 = 20;

/// The failures after which a module stops of which no rule speaks. One may be the fault of an odd request, and the client was told;
/// three within [`STRIKES_WITHIN`] are the module's.
const STRIKES: u32 = 3;

/// The time over which the failures of such a module are counted: ten minutes, some rounds of a tool that asks every minute or
/// two.
const STRIKES_WITHIN: Duration = Duration::from_secs(600);

/// A rule about the life of some modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleRule {
    /// Names of modules; one that ends in `*` stands for all that begin so.
    pub names: Vec<String>,
    /// Whether an installed module of such a name may take the place of a built-in one.
    pub replace: Option<bool>,
    /// How many calls of a new version are watched; if one of them fails, the version before it comes back.
    pub probation: Option<u32>,
    /// After how many failures in how much time a version is taken away that has come through its probation.
    pub strikes: Option<Strikes>,
    /// Why the owner wants it.
    pub reason: String,
    /// Where it stands.
    pub origin: Origin,
}

/// So many failures in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strikes {
    /// Failures, at least 1.
    pub failures: u32,
    /// The time, a second to a day.
    pub within: Duration,
}

/// On what terms a module is installed and runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleTerms {
    /// Whether it may take the place of the built-in module of its name.
    pub may_replace: bool,
    /// How many calls of a new version are watched.
    pub probation: u32,
    /// When a version is taken away that has come through its probation.
    pub strikes: Strikes,
}

impl ModuleRule {
    /// Reads a `[[module]]`. `known` are the modules that are built in.
    pub(crate) fn read(mut table: Table<'_>, known: &[&str]) -> Result<Self, PolicyError> {
        let mut names = Vec::new();
        for (name, item) in table.required("names")?.texts()? {
            if let Some(fault) = modules_fault(name, known) {
                return Err(item.error(fault));
            }
            names.push(name.to_owned());
        }
        let replace = table.take("replace").map(|item| item.flag()).transpose()?;
        let probation = table.take("probation").map(|item| count(&item, 0, LONGEST_PROBATION)).transpose()?;
        let strikes = table.take("strikes").map(|item| strikes(item.table()?)).transpose()?;
        if replace.is_none() && probation.is_none() && strikes.is_none() {
            return Err(table.error("a rule about modules says at least one of replace, probation and strikes"));
        }
        let reason = table.required("reason")?.text()?.to_owned();
        let origin = table.origin();
        table.finish()?;
        Ok(ModuleRule { names, replace, probation, strikes, reason, origin })
    }

    /// Whether it speaks of this module.
    #[must_use]
    pub fn concerns(&self, module: &str) -> bool {
        self.names.iter().any(|name| covers(name, module))
    }
}

impl Policy {
    /// On what terms `module` is installed and runs. Of all rules that speak of it the strictest counts, key by key: one that
    /// says no to replacing, the longest probation, the fewest failures and of equal ones the longest time. What no rule says
    /// is: no replacing, 20 calls, 3 failures in ten minutes.
    #[must_use]
    pub fn module(&self, module: &str) -> ModuleTerms {
        let rules = || self.modules.iter().filter(|rule| rule.concerns(module));
        let strikes = rules().filter_map(|rule| rule.strikes);
        ModuleTerms {
            may_replace: rules().filter_map(|rule| rule.replace).min().unwrap_or(false),
            probation: rules().filter_map(|rule| rule.probation).max().unwrap_or(PROBATION),
            strikes: strikes
                .min_by_key(|it| (it.failures, Reverse(it.within)))
                .unwrap_or(Strikes { failures: STRIKES, within: STRIKES_WITHIN }),
        }
    }
}

fn strikes(mut table: Table<'_>) -> Result<Strikes, PolicyError> {
    let failures = count(&table.required("failures")?, 1, MOST_FAILURES)?;
    let seconds = count(&table.required("seconds")?, 1, LONGEST_MEMORY)?;
    table.finish()?;
    Ok(Strikes { failures, within: Duration::from_secs(seconds.into()) })
}

fn count(item: &Item<'_>, least: i64, most: i64) -> Result<u32, PolicyError> {
    Ok(u32::try_from(item.between(least, most)?).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    const BUILT_IN: &[&str] = &["file", "exec"];

    fn read(rules: &str) -> Result<Policy, PolicyError> {
        let document = Document::parse("p", &format!("version = 1\n{rules}"), &[], BUILT_IN)?;
        Policy::merge([document], &[], BUILT_IN)
    }

    fn rule(names: &str, says: &str) -> String {
        format!("[[module]]\nnames = [{names}]\n{says}\nreason = \"x\"\n")
    }

    #[test]
    fn without_a_rule_nothing_is_replaced_and_all_is_watched() {
        let terms = Policy::default().module("file");
        assert!(!terms.may_replace);
        assert_eq!((terms.probation, terms.strikes.failures, terms.strikes.within.as_secs()), (20, 3, 600));
    }

    #[test]
    fn the_strictest_of_all_rules_counts() {
        let rules = [
            rule("\"com.example.*\"", "replace = true\nprobation = 5\nstrikes = { failures = 9, seconds = 60 }"),
            rule("\"com.example.backup\", \"exec\"", "probation = 7\nstrikes = { failures = 2, seconds = 10 }"),
            rule("\"com.example.backup\"", "replace = false\nstrikes = { failures = 2, seconds = 20 }"),
        ];
        let terms = read(&rules.concat()).unwrap().module("com.example.backup");
        let strikes = Strikes { failures: 2, within: Duration::from_secs(20) };
        assert_eq!(terms, ModuleTerms { may_replace: false, probation: 7, strikes });
        let policy = read(&rules.concat()).unwrap();
        assert!(policy.module("com.example.other").may_replace);
        assert_eq!(policy.module("com.example.other").probation, 5, "less than the default, for a rule says so");
        assert_eq!(policy.module("com.exampled"), Policy::default().module("file"), "the star is where it stands");
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_place() {
        let refused = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(refused("[[module]]\nreplace = true"), "p:2:1: the key 'names' is missing");
        assert_eq!(
            refused(&rule("\"files\"", "replace = true")),
            "p:3:10: there is no module 'files', did you mean 'file'?"
        );
        assert_eq!(
            refused(&rule("\"com.Example\"", "replace = true")),
            "p:3:10: there is no module 'com.Example', and a vendor's is named like com.example.backup"
        );
        assert_eq!(
            refused(&rule("\"file\"", "")),
            "p:2:1: a rule about modules says at least one of replace, probation and strikes"
        );
        assert_eq!(refused("[[module]]\nnames = [\"file\"]\nreplace = true"), "p:2:1: the key 'reason' is missing");
        for (says, error) in [
            ("replace = 1", "4:11: 'replace' must be true or false, not integer"),
            ("probation = 10001", "4:13: 'probation' is 0 to 10000, not 10001"),
            ("strikes = 3", "4:11: 'strikes' must be a table, not integer"),
            ("strikes = { failures = 0, seconds = 1 }", "4:24: 'failures' is 1 to 1000, not 0"),
            ("strikes = { failures = 1, seconds = 86401 }", "4:37: 'seconds' is 1 to 86400, not 86401"),
            ("strikes = { failures = 1 }", "4:11: the key 'seconds' is missing"),
            ("probatoin = 3\nreplace = true", "4:1: unknown key 'probatoin', did you mean 'probation'?"),
        ] {
            assert_eq!(refused(&rule("\"file\"", says)), format!("p:{error}"), "{says}");
        }
    }
}
