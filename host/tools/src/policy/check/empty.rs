//! Rules that come to nothing: what an owner meant to allow is not allowed, or what was meant is not what is written.

use super::Finding;
use super::wide::texts;
use crate::policy::Known;
use bulkhead_broker::rulings::{is_usable, missing};
use bulkhead_catalog::commands::Command;
use bulkhead_gate::is_ever_readable;
use bulkhead_policy::{CommandRule, Effect, Grant, Mode, Policy, Value, covers};
use std::path::Path;

/// A vendor's module of whatever name. All of them may read the same files.
const ANY_VENDOR: &str = "vendor.any";

/// How many commands are told by name.
const TOLD: usize = 3;

pub(super) fn look(policy: &Policy, known: &Known) -> Vec<Finding> {
    let mut findings: Vec<Finding> = policy.commands.iter().filter_map(|rule| useless(rule, policy, known)).collect();
    for grant in &policy.grants {
        findings.extend(forbidden(grant, policy));
        findings.extend(patterns(grant));
        findings.extend(unread(grant, known));
    }
    findings
}

/// A rule that lets commands run which can do nothing, since nothing grants what they need. Of a name with a star only if that is
/// so of all that it stands for: who says `guest-*` means those that can.
fn useless(rule: &CommandRule, policy: &Policy, known: &Known) -> Option<Finding> {
    if rule.mode != Mode::Enforce {
        return None;
    }
    let runs = |it: &&Command| [false, true].iter().any(|frozen| runs(it, *frozen, rule, policy));
    let useless = |name: &String| {
        let meant: Vec<&Command> =
            known.catalog().all().iter().filter(|it| covers(name, it.name)).filter(runs).collect();
        let all = !meant.is_empty() && meant.iter().all(|it| !is_usable(it, policy));
        if all { meant } else { Vec::new() }
    };
    let mut commands: Vec<&Command> = rule.names.iter().flat_map(useless).collect();
    commands.dedup_by_key(|it| it.name);
    let told = |it: &&Command| format!("{} needs {}", it.name, missing(it, policy).join(" and "));
    let mut list: Vec<String> = commands.iter().take(TOLD).map(told).collect();
    if list.is_empty() {
        return None;
    }
    if commands.len() > TOLD {
        list.push(format!("and {} more", commands.len() - TOLD));
    }
    let message = format!("refused, since nothing grants what is needed: {}", list.join(", "));
    Some(Finding::warning(&rule.origin, message))
}

fn runs(command: &Command, frozen: bool, rule: &CommandRule, policy: &Policy) -> bool {
    rule.concerns(command.name, frozen) && policy.command(command.name, frozen, |_| 0).mode == Mode::Enforce
}

/// A permit of which a forbid leaves nothing. That a whole capability is forbidden is told elsewhere.
fn forbidden(permit: &Grant, policy: &Policy) -> Option<Finding> {
    let forbids = policy.grants.iter().filter(|it| it.effect == Effect::Forbid && !it.values.is_empty());
    let by = forbids.into_iter().find(|it| it.forbids_whole(permit))?;
    Some(Finding::warning(&permit.origin, format!("it permits nothing: {} forbids all of it", by.origin)))
}

/// Trees and programs that look like patterns, and are none. One that is there by just this name is meant so.
fn patterns(grant: &Grant) -> Vec<Finding> {
    let is_pattern = |path: &&str| *path != "*" && path.contains(['*', '?', '[']) && !Path::new(path).exists();
    let warn = |message: String| Finding::warning(&grant.origin, message);
    // No permit is proposed: one by `names` holds in all folders below, which may be far more than was meant.
    let tree = |tree: &str| {
        warn(format!(
            "a tree is not a pattern, and '{tree}' is taken as it is written; 'names' chooses files by their own names, in a tree and \
             in all folders below it"
        ))
    };
    let program =
        |program| warn(format!("a program is not a pattern, and '{program}' is taken as it is written: name each"));
    let trees = texts(grant, "trees").filter(is_pattern).map(tree);
    trees.chain(texts(grant, "programs").filter(is_pattern).map(program)).collect()
}

/// System files that the agent gives none of the modules that are meant, whatever the policy says.
fn unread(grant: &Grant, known: &Known) -> Vec<Finding> {
    let Some(Value::Patterns(patterns)) = grant.value("files") else { return Vec::new() };
    let meant: Vec<&str> = match grant.modules.as_slice() {
        [] => known.importers(grant.shape.capability).into_iter().chain([ANY_VENDOR]).collect(),
        modules => modules.iter().map(String::as_str).collect(),
    };
    let reads = |pattern: &&String| meant.iter().any(|module| is_ever_readable(module, pattern));
    let message = |pattern| match grant.effect {
        Effect::Permit => format!("the agent never gives '{pattern}' to {}", meant.join(", ")),
        Effect::Forbid => {
            format!("the agent reads no file for modules by the name '{pattern}': it forbids nothing")
        }
    };
    let never = patterns.iter().filter(|pattern| !reads(pattern));
    never.map(|pattern| Finding::warning(&grant.origin, message(pattern))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{command, grant, lines, policy};
    use super::*;
    use crate::policy::known::testing::known;

    fn told(rules: &str) -> Vec<String> {
        let all = lines(&look(&policy(rules), &known()));
        all.iter().map(|line| line.replace(": warning: ", " ")).collect()
    }

    #[test]
    fn a_command_that_runs_and_can_do_nothing() {
        let base = command("\"guest-get-osinfo\", \"guest-set-vcpus\", \"guest-ping\"");
        assert_eq!(
            told(&base),
            [
                "p:2:1 refused, since nothing grants what is needed: guest-get-osinfo needs identity, guest-set-vcpus needs \
              hotplug and system-files"
            ]
        );
        let identity = grant("permit", "identity", "modules = [\"report\"]");
        assert!(
            told(&(base.clone() + &identity))[0].ends_with("is needed: guest-set-vcpus needs hotplug and system-files")
        );
        assert_eq!(told(&base.replace("enforce", "observe")), [""; 0], "then it can do all");
        let deny = command("\"guest-set-*\", \"guest-get-*\"").replace("enforce", "deny");
        assert_eq!(told(&(base + &deny)), [""; 0], "it does not run");
        assert_eq!(told(&(command("\"guest-get-*\"") + &identity)), [""; 0], "those that can are meant");
        assert!(told(&command("\"guest-get-*\""))[0].ends_with(" more"));
    }

    #[test]
    fn a_permit_of_which_nothing_is_left() {
        let permit = grant("permit", "files", "modules = [\"file\"]\ntrees = [\"/srv/a\"]\naccess = [\"read\"]");
        let forbid = |tree: &str| grant("forbid", "files", &format!("trees = [\"{tree}\"]"));
        assert_eq!(told(&(permit.clone() + &forbid("/srv"))), ["p:2:1 it permits nothing: p:8:1 forbids all of it"]);
        assert_eq!(told(&(permit + &forbid("/srv/a/private"))), [""; 0]);
    }

    #[test]
    fn a_tree_is_not_a_pattern() {
        let tree = |tree: &str| {
            let lines = format!("modules = [\"file\"]\ntrees = [\"{tree}\"]\naccess = [\"read\"]");
            told(&grant("permit", "files", &lines))
        };
        assert_eq!(
            tree("/var/log/app/*.log"),
            [
                "p:2:1 a tree is not a pattern, and '/var/log/app/*.log' is taken as it is written; 'names' chooses files by their \
              own names, in a tree and in all folders below it"
            ]
        );
        assert_eq!(tree("/var/log/app"), [""; 0]);
        let programs = "modules = [\"exec\"]\nprograms = [\"/usr/local/bin/*\", \"*\"]";
        let found = told(&grant("permit", "processes", programs));
        assert!(found.len() == 1 && found[0].contains("a program is not a pattern"), "{found:?}");
    }

    #[test]
    fn a_file_that_is_never_given() {
        let files = |effect: &str, lines: &str| told(&grant(effect, "system-files", lines));
        let found = files("permit", "modules = [\"com.example.new\"]\nfiles = [\"/proc/meminfo\", \"/etc/hostname\"]");
        assert_eq!(found, ["p:2:1 the agent never gives '/etc/hostname' to com.example.new"]);
        let found = files("permit", "modules = [\"report\"]\nfiles = [\"/proc/meminfo\"]");
        assert_eq!(found, ["p:2:1 the agent never gives '/proc/meminfo' to report"]);
        assert_eq!(files("forbid", "files = [\"/proc/meminfo\", \"/var/run/utmp\"]"), [""; 0]);
        let found = files("forbid", "files = [\"/var/run/utm\"]");
        assert!(found.len() == 1 && found[0].ends_with("it forbids nothing"), "{found:?}");
    }
}
