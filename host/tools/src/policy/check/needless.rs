//! Rules that say nothing.

use super::Finding;
use crate::policy::Known;
use bulkhead_broker::rulings::may_run_while_frozen;
use bulkhead_catalog::commands::Command;
use bulkhead_catalog::needs;
use bulkhead_policy::{CommandRule, Effect, Grant, Mode, Policy, Value, covers, shape::Kind};
use std::time::Duration;

/// Capabilities that commands use where they can and do without where they cannot, so that what they need does not say
/// all.
const LOOKS: &[&str] = &["agent", "mounts", "system-files", "network", "identity", "disks", "clock"];

/// Commands that use a word which they can do without, and what they use it for is the same as ever: keys are read before
/// they are added to or taken from.
const ALSO: &[(&str, &str)] =
    &[("guest-ssh-add-authorized-keys", "read-keys"), ("guest-ssh-remove-authorized-keys", "read-keys")];

pub(super) fn look(policy: &Policy, known: &Known) -> Vec<Finding> {
    let mut findings: Vec<Finding> = policy.commands.iter().filter_map(|rule| command(rule, policy, known)).collect();
    for grant in &policy.grants {
        findings.extend(strangers(grant, known));
        match grant.effect {
            Effect::Permit => findings.extend(permit(grant, policy, known)),
            Effect::Forbid => findings.extend(forbid(grant, policy, known)),
        }
    }
    findings.extend(limits(policy, known));
    findings
}

/// A rule about commands that never decides.
fn command(rule: &CommandRule, policy: &Policy, known: &Known) -> Option<Finding> {
    let all = known.catalog().all();
    // What a vendor's command would have to do with it nobody knows as long as it is not installed.
    if !rule.names.iter().all(|name| all.iter().any(|command| covers(name, command.name))) {
        return None;
    }
    let states = all.iter().flat_map(|command| [(command, false), (command, true)]);
    let runs = |(command, frozen): &(&Command, bool)| !frozen || may_run_while_frozen(command, policy);
    let concerned: Vec<_> = states.filter(|(it, frozen)| rule.concerns(it.name, *frozen)).filter(runs).collect();
    if concerned.is_empty() {
        let those: Vec<_> = all.iter().filter(|it| may_run_while_frozen(it, policy)).map(|it| it.name).collect();
        let message = format!("it says nothing: while frozen the agent runs only {}", those.join(", "));
        return Some(Finding::warning(&rule.origin, message));
    }
    // As many calls as make this rule hold, and no more.
    let calls = |within: Duration| match rule.faster_than {
        Some(pace) if within >= pace.within => pace.calls,
        _ => 0,
    };
    let mut others = policy.clone();
    others.commands.retain(|other| other.origin != rule.origin);
    let without = |command: &Command, frozen| others.command(command.name, frozen, calls);
    let decides = |(command, frozen): &(&Command, bool)| {
        let mode = policy.command(command.name, *frozen, calls).mode;
        mode != without(command, *frozen).mode || *frozen && !may_run_while_frozen(command, &others)
    };
    if concerned.iter().any(decides) {
        return None;
    }
    let (command, frozen) = concerned[0];
    let origin = &rule.origin;
    match without(command, frozen).rule {
        None => Some(Finding::hint(origin, "it denies what no rule permits: without it the answer is the same")),
        // Of two that say the same, one has to stay.
        Some(other) if other.mode == rule.mode && is_same(rule, other) && other.origin > *origin => None,
        Some(other) if other.mode == rule.mode => {
            Some(Finding::warning(origin, format!("it says nothing new: {} says so already", other.origin)))
        }
        Some(other) => {
            let stricter = if other.mode == Mode::Deny { "denies" } else { "enforces" };
            Some(Finding::warning(
                origin,
                format!("it never decides: {} {stricter}, and the stricter wins", other.origin),
            ))
        }
    }
}

fn is_same(one: &CommandRule, other: &CommandRule) -> bool {
    (&one.names, one.when, one.faster_than) == (&other.names, other.when, other.faster_than)
}

/// Modules that are named and cannot use the capability. Of one that does not run nobody knows.
fn strangers(grant: &Grant, known: &Known) -> Vec<Finding> {
    let capability = grant.shape.capability;
    let importers = known.importers(capability);
    let strangers = grant.modules.iter().filter(|module| known.runs(module) && !importers.contains(&module.as_str()));
    let have = if importers.len() == 1 { "has" } else { "have" };
    let message = |module| format!("module '{module}' has no use for '{capability}'; {} {have}", listed(&importers));
    strangers.map(|module| Finding::warning(&grant.origin, message(module))).collect()
}

/// Why a permit is not needed beside one that covers it. Where both differ in how something is done, the safe one is the one that
/// comes to nothing, and who reads only that it is needless would take away the wrong one.
fn needless(grant: &Grant, covering: &Grant) -> String {
    let origin = &covering.origin;
    if covering.has_settings_of(grant) {
        return format!("it says nothing new: {origin} permits all of it");
    }
    let how = match (grant.user("run-as"), covering.user("run-as")) {
        (Some(user), None) => format!(" without run-as, so that it runs as root and not as {user}"),
        (Some(user), Some(other)) if user != other => format!(", so that it runs as {other} and not as {user}"),
        _ => " with wider settings".to_owned(),
    };
    format!("it never decides: {origin} permits all of it{how}, and of two permits the wider one counts")
}

fn permit(grant: &Grant, policy: &Policy, known: &Known) -> Vec<Finding> {
    let (capability, origin) = (grant.shape.capability, &grant.origin);
    let users: Vec<&str> = known.importers(capability);
    let users: Vec<&str> = users.into_iter().filter(|user| grant.modules.iter().any(|it| it == user)).collect();
    let (others, same) = (|it: &&Grant| it.origin != *origin, |it: &Grant| grant.makes_needless(it));
    let covering = policy.grants.iter().filter(others).find(|it| it.makes_needless(grant));
    if let Some(covering) = covering.filter(|it| !same(it) || it.origin < *origin) {
        return vec![Finding::warning(origin, needless(grant, covering))];
    }
    if users.is_empty() || !grant.modules.iter().all(|module| known.runs(module)) {
        return Vec::new();
    }
    if !users.iter().any(|module| policy.grants_any(module, capability, None)) {
        let nothing = |it: &&Grant| it.effect == Effect::Forbid && it.shape == grant.shape && it.values.is_empty();
        let by = policy.grants.iter().find(nothing).map(|it| format!(" ({})", it.origin)).unwrap_or_default();
        return vec![Finding::warning(origin, format!("it permits nothing: all of '{capability}' is forbidden{by}"))];
    }
    let of_modules = |command: &&Command| users.contains(&command.module);
    let permitted: Vec<&Command> =
        known.catalog().all().iter().filter(of_modules).filter(|it| is_permitted(it, policy)).collect();
    let needing = |word: Option<&str>, from: &[&Command]| -> Vec<&'static str> {
        let needs = |command: &str, it: &(&str, Option<&str>)| {
            it.0 == capability && (word.is_none() || it.1 == word)
                || ALSO.contains(&(command, word.unwrap_or_default()))
        };
        from.iter().filter(|it| needs::of(it).any(|need| needs(it.name, &need))).map(|it| it.name).collect()
    };
    let all: Vec<&Command> = known.catalog().all().iter().filter(of_modules).collect();
    if permitted.is_empty() || (!LOOKS.contains(&capability) && needing(None, &permitted).is_empty()) {
        let message = match needing(None, &all).as_slice() {
            [] => format!("no command is permitted that uses '{capability}'"),
            named => format!("no command is permitted that uses '{capability}': {} would", listed(named)),
        };
        return vec![Finding::warning(origin, message)];
    }
    let mut findings = Vec::new();
    for word in words(grant) {
        let (would, do_so) = (needing(Some(word), &all), needing(Some(word), &permitted));
        if !would.is_empty() && do_so.is_empty() {
            findings
                .push(Finding::warning(origin, format!("'{word}' is for {}, which no rule permits", listed(&would))));
        }
    }
    findings
}

fn forbid(grant: &Grant, policy: &Policy, known: &Known) -> Option<Finding> {
    let capability = grant.shape.capability;
    let concerned = |module: &String| grant.modules.is_empty() || grant.modules.contains(module);
    let importers = known.importers(capability);
    let can_use = |module: &String| importers.contains(&module.as_str()) || !known.runs(module);
    let mut permits = policy.grants.iter().filter(|it| it.effect == Effect::Permit && it.shape == grant.shape);
    (!permits.any(|it| it.modules.iter().any(|module| concerned(module) && can_use(module))))
        .then(|| Finding::hint(&grant.origin, format!("it forbids what no rule permits: nothing of '{capability}' is")))
}

/// Limits that the module has nothing for.
fn limits(policy: &Policy, known: &Known) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in &policy.limits {
        let limits = &rule.limits;
        for (key, is_given, capability) in [
            ("handles", limits.handles.is_some(), "files"),
            ("children", limits.children.is_some(), "processes"),
            ("buffers", limits.buffers.is_some(), "processes"),
        ] {
            let users = known.importers(capability);
            let named = |it: &String| users.contains(&it.as_str()) || !known.runs(it);
            if is_given && !rule.modules.is_empty() && !rule.modules.iter().any(named) {
                let message = format!("'{key}' is a limit of {} only", listed(&users));
                findings.push(Finding::warning(&rule.origin, message));
            }
        }
    }
    findings
}

/// Whether it may run in some state.
fn is_permitted(command: &Command, policy: &Policy) -> bool {
    let states: &[bool] = if may_run_while_frozen(command, policy) { &[false, true] } else { &[false] };
    states.iter().any(|frozen| policy.command(command.name, *frozen, |_| 0).mode != Mode::Deny)
}

/// The words of a permit.
fn words(grant: &Grant) -> Vec<&str> {
    let words = grant.values.iter().filter(|(key, _)| matches!(key.kind, Kind::Words(_)));
    let texts = words.filter_map(|(_, value)| match value {
        Value::Texts(texts) => Some(texts),
        _ => None,
    });
    texts.flatten().map(String::as_str).collect()
}

fn listed(names: &[&str]) -> String {
    match names {
        [names @ .., last] if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        names => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{command, grant, lines, policy};
    use super::*;
    use crate::policy::known::testing::known;

    fn told(rules: &str) -> Vec<String> {
        let all = lines(&look(&policy(rules), &known()));
        all.iter().map(|line| line.replace(": warning: ", " ").replace(": hint: ", "? ")).collect()
    }

    #[test]
    fn a_rule_about_commands_that_never_decides() {
        let (some, all) = (command("\"guest-get-time\""), command("\"guest-get-*\""));
        let deny = all.replace("enforce", "deny");
        assert_eq!(told(&all), [""; 0]);
        assert_eq!(told(&(all.clone() + &some)), ["p:5:1 it says nothing new: p:2:1 says so already"]);
        assert_eq!(told(&(all.clone() + &all)), ["p:5:1 it says nothing new: p:2:1 says so already"], "one stays");
        assert_eq!(told(&(some.clone() + &deny)), ["p:2:1 it never decides: p:5:1 denies, and the stricter wins"]);
        assert_eq!(told(&deny), ["p:2:1? it denies what no rule permits: without it the answer is the same"]);
        let frozen = told(&(some + "while = \"frozen\"\n"));
        assert!(frozen.len() == 1 && frozen[0].contains("while frozen the agent runs only guest-sync"), "{frozen:?}");
    }

    #[test]
    fn two_paces_are_two_rules() {
        let pace = |calls, seconds| {
            let rule = command("\"guest-ping\"").replace("enforce", "deny");
            format!("{rule}faster-than = {{ calls = {calls}, seconds = {seconds} }}\n")
        };
        let base = command("\"guest-ping\"");
        assert_eq!(told(&(base.clone() + &pace(5, 1) + &pace(50, 60))), [""; 0]);
        let found = told(&(base + &pace(5, 60) + &pace(9, 60)));
        assert_eq!(found, ["p:9:1 it says nothing new: p:5:1 says so already"]);
    }

    #[test]
    fn a_permit_that_nobody_uses() {
        let power =
            |modules: &str, modes: &str| grant("permit", "power", &format!("modules = [{modules}]\nmodes = [{modes}]"));
        let shutdown = command("\"guest-shutdown\"");
        assert_eq!(told(&(shutdown.clone() + &power("\"power\"", "\"halt\""))), [""; 0]);
        assert_eq!(
            told(&(shutdown.clone() + &power("\"power\", \"file\"", "\"halt\""))),
            ["p:5:1 module 'file' has no use for 'power'; power has"]
        );
        assert_eq!(
            told(&(shutdown.clone() + &power("\"power\"", "\"halt\", \"suspend-ram\""))),
            ["p:5:1 'suspend-ram' is for guest-suspend-ram, which no rule permits"]
        );
        assert_eq!(
            told(&(shutdown.clone() + &power("\"power\"", "\"halt\", \"reboot\"") + &power("\"power\"", "\"halt\""))),
            ["p:10:1 it says nothing new: p:5:1 permits all of it"]
        );
        let forbid = grant("forbid", "power", "");
        assert_eq!(
            told(&(shutdown + &power("\"power\"", "\"halt\"") + &forbid)),
            ["p:5:1 it permits nothing: all of 'power' is forbidden (p:10:1)"]
        );
        assert_eq!(told(&forbid), ["p:2:1? it forbids what no rule permits: nothing of 'power' is"]);
        let exec = grant("permit", "processes", "modules = [\"exec\"]\nprograms = [\"/bin/true\"]");
        assert_eq!(
            told(&exec),
            ["p:2:1 no command is permitted that uses 'processes': guest-exec-status and guest-exec would"]
        );
    }

    #[test]
    fn keys_are_read_before_they_are_changed() {
        let keys = grant(
            "permit",
            "accounts",
            "modules = [\"account\"]\nusers = [\"bob\"]\nmay = [\"read-keys\", \"write-keys\"]",
        );
        assert_eq!(told(&(command("\"guest-ssh-add-authorized-keys\"") + &keys)), [""; 0]);
        assert_eq!(told(&(command("\"guest-ssh-get-authorized-keys\"") + &keys)).len(), 1, "nothing is written");
    }

    #[test]
    fn a_permit_that_is_wider_in_how_something_is_done_is_the_one_to_look_at() {
        let programs = |more: &str| {
            let lines = format!("modules = [\"exec\"]\nprograms = [\"/srv/tool\"]\n{more}");
            grant("permit", "processes", &lines)
        };
        let base = command("\"guest-exec\"") + &programs("environment = []\nrun-as = \"nobody\"");
        let said = |more: &str| told(&(base.clone() + &programs(more)));
        let root = said("environment = [\"A\"]").concat();
        assert!(root.contains("without run-as, so that it runs as root and not as nobody"), "{root}");
        assert!(root.contains("it never decides: "), "{root}");
        assert!(!root.contains("nothing new"), "{root}");
        let same = said("environment = [\"A\"]\nrun-as = \"nobody\"").concat();
        assert!(same.contains("it says nothing new: "), "{same}");
        let slower = said("environment = [\"A\"]\nrun-as = \"daemon\"").concat();
        assert!(!slower.contains("nothing new"), "{slower}");
    }

    #[test]
    fn an_installed_module_is_judged_by_what_it_imports() {
        let base = command("\"__com.example_addresses\"");
        let permit = |capability: &str| grant("permit", capability, "modules = [\"com.example.net\"]");
        assert_eq!(told(&(base.clone() + &permit("network"))), [""; 0]);
        assert_eq!(
            told(&(base.clone() + &permit("clock"))),
            ["p:5:1 module 'com.example.net' has no use for 'clock'; report and time have"]
        );
        assert_eq!(
            told(&permit("network")),
            ["p:2:1 no command is permitted that uses 'network': __com.example_addresses would"]
        );
        let handles = "[[limit]]\nmodules = [\"com.example.net\"]\nhandles = 1\n";
        assert_eq!(told(handles), ["p:2:1 'handles' is a limit of file only"]);
    }

    /// What is not installed may be installed tomorrow, and import whatever it is granted.
    #[test]
    fn of_a_module_that_is_not_there_nothing_is_needless() {
        let base = command("\"__org.other_x\"") + &command("\"guest-ping\", \"__org.other_*\"");
        let rules = base + &grant("permit", "clock", "modules = [\"org.other\"]");
        let rules = rules + &grant("forbid", "clock", "modules = [\"org.other\"]");
        let rules = rules + "[[limit]]\nmodules = [\"org.other\"]\nhandles = 1\n";
        assert_eq!(told(&rules), [""; 0]);
    }

    #[test]
    fn a_limit_of_what_the_module_has_not() {
        let limit = |module: &str, key: &str| format!("[[limit]]\nmodules = [\"{module}\"]\n{key} = 1\n");
        assert_eq!(told(&(limit("file", "handles") + &limit("exec", "children"))), [""; 0]);
        assert_eq!(told(&limit("file", "children")), ["p:2:1 'children' is a limit of exec only"]);
    }
}
