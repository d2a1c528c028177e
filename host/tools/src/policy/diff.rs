//! `bulkhead policy diff`: what a client gains and loses.

use super::named;
use super::outcome::Outcome;
use crate::which::Which;
use bulkhead_catalog::commands::Catalog;
use bulkhead_policy::{Effect, Grant, Policy, Rule};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

/// What the command line says.
///
/// A and B are names of profiles or files. A file stands alone, without drop-ins. Ends with 0 if both have the same rules, with 1
/// if not, with 2 if one of them cannot be read.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The policy of before: a profile, or a file (./full is a file, full a profile).
    #[arg(value_name = "A")]
    before: OsString,
    /// The policy of after. Without: the one that is in force, drop-ins included.
    #[arg(value_name = "B")]
    after: Option<OsString>,
}

/// Runs the tool.
pub(crate) fn run(which: &Which, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let (before, after) = match read(which, options) {
        Ok(both) => both,
        Err(error) => {
            // 1 would say that they were read and differ.
            eprintln!("bulkhead: {error:#}");
            return Ok(ExitCode::from(2));
        }
    };
    if before.canonical() == after.canonical() {
        return Ok(ExitCode::SUCCESS);
    }
    Difference::of(&before, &after, which.known().catalog()).write(out)?;
    Ok(ExitCode::FAILURE)
}

fn read(which: &Which, options: &Options) -> anyhow::Result<(Policy, Policy)> {
    let after = match &options.after {
        Some(name) => named::policy(name)?,
        None => which.files().load()?.policy,
    };
    Ok((named::policy(&options.before)?, after))
}

/// What is different for a client, line by line.
#[derive(Debug, Default)]
struct Difference {
    gains: Vec<String>,
    loses: Vec<String>,
    /// What is neither more nor less.
    otherwise: Vec<String>,
}

impl Difference {
    fn of(before: &Policy, after: &Policy, catalog: &Catalog) -> Self {
        let mut difference = Difference::default();
        difference.commands(before, after, catalog);
        for rule in only_in(after, before) {
            difference.rule(rule, before, true);
        }
        for rule in only_in(before, after) {
            difference.rule(rule, after, false);
        }
        difference
    }

    fn commands(&mut self, before: &Policy, after: &Policy, catalog: &Catalog) {
        for command in catalog.all() {
            let of = |policy, frozen| Outcome::of(command, frozen, policy);
            for (frozen, words) in [(false, ""), (true, " while frozen")] {
                let (old, new) = (of(before, frozen), of(after, frozen));
                if old.to_string() == new.to_string() {
                    continue;
                }
                let line = format!("  {}{words}: {old} -> {new}\n", command.name);
                if new.is_better_than(&old) {
                    self.gains.push(line);
                } else if old.is_better_than(&new) {
                    self.loses.push(line);
                } else {
                    self.otherwise.push(line);
                }
            }
        }
    }

    /// A rule that came or went. `other` is the policy without it.
    fn rule(&mut self, rule: Rule<'_>, other: &Policy, came: bool) {
        let permits = match rule {
            // What they do is told command by command.
            Rule::Command(_) => return,
            // What another permit covers neither comes nor goes.
            Rule::Grant(grant) if is_covered(grant, other) => return,
            Rule::Grant(grant) => grant.effect == Effect::Permit,
            Rule::Limit(_) | Rule::Module(_) | Rule::Network(_) | Rule::Hotplug(_) => false,
        };
        let what = match (rule, permits) {
            (Rule::Limit(_), _) => "a limit",
            (Rule::Module(_), _) => "a rule about modules",
            (Rule::Network(_), _) => "a word about network interfaces",
            (Rule::Hotplug(_), _) => "a word about what is added to the machine",
            (_, true) => "a permit",
            (_, false) => "a forbid",
        };
        let text: String = rule.to_string().lines().map(|line| format!("      {line}\n")).collect();
        let line = format!("  {what} {}, {}\n{text}", if came { "more" } else { "less" }, rule.origin());
        match rule {
            // It binds whoever installs modules, and no client; an order is neither more nor less, and the machine's own
            // processors are nobody's gain.
            Rule::Module(_) | Rule::Hotplug(_) => self.otherwise.push(line),
            Rule::Network(rule) if rule.exclude.is_empty() => self.otherwise.push(line),
            _ if permits == came => self.gains.push(line),
            _ => self.loses.push(line),
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let parts = [
            ("The client gains:", &self.gains),
            ("The client loses:", &self.loses),
            ("Neither more nor less:", &self.otherwise),
        ];
        let parts = parts.into_iter().filter(|(_, lines)| !lines.is_empty());
        for (index, (title, lines)) in parts.enumerate() {
            writeln!(out, "{}{title}\n{}", if index > 0 { "\n" } else { "" }, lines.concat().trim_end())?;
        }
        if self.gains.is_empty() && self.loses.is_empty() && self.otherwise.is_empty() {
            writeln!(out, "The rules differ; what they allow does not.")?;
        }
        Ok(())
    }
}

/// The rules of `one` that `other` does not have, each once.
fn only_in<'a>(one: &'a Policy, other: &Policy) -> Vec<Rule<'a>> {
    let mut known: BTreeSet<String> = other.rules().map(Rule::canonical).collect();
    one.rules().filter(|rule| known.insert(rule.canonical())).collect()
}

fn is_covered(grant: &Grant, policy: &Policy) -> bool {
    policy.grants.iter().any(|other| other.makes_needless(grant))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::known::testing::{known, policy};
    use bulkhead_broker::policy_files::profile;

    fn told(before: &Policy, after: &Policy) -> String {
        let mut out = Vec::new();
        Difference::of(before, after, known().catalog()).write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn gains_and_losses_change_places_with_the_policies() {
        let (standard, full) = (profile("standard"), profile("full"));
        let (forth, back) = (told(&standard, &full), told(&full, &standard));
        assert!(forth.starts_with("The client gains:\n  guest-file-open: denied -> runs\n"), "{forth}");
        assert!(forth.contains("\n  a permit more, profile full:") && !forth.contains("loses"), "{forth}");
        assert!(back.starts_with("The client loses:\n  guest-file-open: runs -> denied\n"), "{back}");
        assert!(back.contains("\n  a permit less, profile full:") && !back.contains("gains"), "{back}");
    }

    #[test]
    fn what_is_covered_is_no_difference() {
        let permit = |modes: &str| {
            format!("[[permit]]\ncapability = \"power\"\nmodules = [\"power\"]\nmodes = [{modes}]\nreason = \"x\"\n")
        };
        let (wide, narrow) = (permit("\"halt\", \"reboot\""), permit("\"halt\""));
        let text = told(&policy(&wide), &policy(&(wide.clone() + &narrow)));
        assert_eq!(text, "The rules differ; what they allow does not.\n");
        let text = told(&policy(&wide), &policy(&narrow));
        assert!(text.starts_with("The client loses:\n  a permit less, p:2:1\n") && !text.contains("gains"), "{text}");
    }

    #[test]
    fn forbids_and_limits_take_away() {
        let forbid = "[[forbid]]\ncapability = \"power\"\nreason = \"no\"\n";
        let text = told(&policy(""), &policy(&format!("{forbid}[[limit]]\nhandles = 1\n")));
        let expected = "The client loses:\n  a forbid more, p:2:1\n      [[forbid]]\n      capability = \"power\"\n      \
                        reason = \"no\"\n  a limit more, p:5:1\n      [[limit]]\n      handles = 1\n";
        assert_eq!(text, expected);
        assert!(told(&policy(forbid), &policy("")).starts_with("The client gains:\n  a forbid less, p:2:1\n"));
    }

    #[test]
    fn an_installed_command_comes_and_goes() {
        let enforce = "[[command]]\nnames = [\"__com.example_*\"]\nmode = \"enforce\"\n";
        let permit = "[[permit]]\ncapability = \"network\"\nmodules = [\"com.example.net\"]\nreason = \"x\"\n";
        let text = told(&policy(enforce), &policy(&format!("{enforce}{permit}")));
        let expected =
            "The client gains:\n  __com.example_addresses: nothing granted -> runs\n  a permit more, p:5:1\n";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn a_rule_about_modules_binds_no_client() {
        let rule = "[[module]]\nnames = [\"file\"]\nreplace = true\nreason = \"x\"\n";
        let text = told(&policy(""), &policy(rule));
        assert!(text.starts_with("Neither more nor less:\n  a rule about modules more, p:2:1\n"), "{text}");
        assert!(told(&policy(rule), &policy("")).contains("  a rule about modules less, p:2:1\n"));
    }

    #[test]
    fn another_pace_is_neither() {
        let pace = |calls| {
            policy(&format!(
                "[[command]]\nnames = [\"guest-ping\"]\nmode = \"enforce\"\n[[command]]\nnames = [\"guest-ping\"]\n\
                 mode = \"deny\"\nwhile = \"thawed\"\nfaster-than = {{ calls = {calls}, seconds = 9 }}\n"
            ))
        };
        let expected = "Neither more nor less:\n  guest-ping: runs, 5 in 9s -> runs, 7 in 9s\n";
        assert_eq!(told(&pace(5), &pace(7)), expected);
    }
}
