//! What a policy says of modules that are not built in: of some that are not there, and of some that it binds to nothing.

use super::Finding;
use crate::policy::Known;
use bulkhead_catalog::modules;
use bulkhead_policy::{ModuleRule, Policy, Rule, covers};

pub(super) fn look(policy: &Policy, known: &Known) -> Vec<Finding> {
    let mut findings = needless(policy, known);
    findings.extend(policy.modules.iter().filter_map(replacing));
    // Of what is installed nobody knows anything then, and that is said once.
    if known.fault().is_none() {
        for rule in policy.rules() {
            let hints = absent(rule, known).into_iter();
            findings.extend(hints.map(|message| Finding::hint(rule.origin(), message)));
        }
    }
    findings
}

/// Names of vendors' modules and commands that are not there. A policy may speak of them, or it would break when a module is
/// removed; but they may be misspelt.
fn absent(rule: Rule<'_>, known: &Known) -> Vec<String> {
    let modules = known.modules();
    let stands_for = |name: &str, all: &[&str]| all.iter().any(|it| covers(name, it));
    let module = |name: &String| match name {
        name if stands_for(name, &modules) => None,
        name if known.is_installed(name) => {
            Some(format!("module '{name}' is installed but does not run: 'bulkhead module list' tells why"))
        }
        name if name.ends_with('*') => Some(format!("'{name}' stands for no module that is installed")),
        name => Some(format!("no module '{name}' is installed")),
    };
    let command = |name: &String| match name {
        name if stands_for(name, &known.catalog().names()) => None,
        name if name.ends_with('*') => Some(format!("'{name}' stands for no command of a module that is installed")),
        name => Some(format!("no module that is installed has the command '{name}'")),
    };
    match rule {
        Rule::Command(rule) => rule.names.iter().filter_map(command).collect(),
        Rule::Grant(rule) => rule.modules.iter().filter_map(module).collect(),
        Rule::Limit(rule) => rule.modules.iter().filter_map(module).collect(),
        Rule::Module(rule) => rule.names.iter().filter_map(module).collect(),
        Rule::Network(_) | Rule::Hotplug(_) => Vec::new(),
    }
}

/// A rule about replacing built-in modules that is about none, or about more than it names.
fn replacing(rule: &ModuleRule) -> Option<Finding> {
    let built_in = modules::names();
    let many = |name: &&String| name.ends_with('*') && built_in.iter().filter(|it| covers(name, it)).count() > 1;
    match rule.replace? {
        _ if !built_in.iter().any(|module| rule.concerns(module)) => {
            let message = "'replace' says nothing of a vendor's module: only a built-in one can be replaced";
            Some(Finding::warning(&rule.origin, message))
        }
        true => rule.names.iter().find(many).map(|name| {
            let message = format!("'{name}' lets several built-in modules be replaced: name those that you mean");
            Finding::warning(&rule.origin, message)
        }),
        false => None,
    }
}

/// Rules about modules without which the terms of every module are the same. Each is looked at without those that were
/// found needless before it, so that of two that say the same one stays: the first.
fn needless(policy: &Policy, known: &Known) -> Vec<Finding> {
    let mut kept = policy.clone();
    let mut rules: Vec<&ModuleRule> = policy.modules.iter().collect();
    rules.sort_by(|one, other| other.origin.cmp(&one.origin));
    // A module that no other rule names: what stands before a star with something behind it that no name has.
    let stranger = |name: &String| name.strip_suffix('*').map_or(name.clone(), |begin| format!("{begin}\0"));
    let all: Vec<String> = policy.modules.iter().flat_map(|rule| &rule.names).map(stranger).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).chain(known.modules()).collect();
    let mut findings = Vec::new();
    for rule in rules {
        let mut without = kept.clone();
        without.modules.retain(|other| other != rule);
        let mut concerned = all.iter().filter(|module| rule.concerns(module));
        if concerned.clone().any(|module| kept.module(module) != without.module(module)) {
            continue;
        }
        let is_alone = !concerned.any(|module| without.modules.iter().any(|other| other.concerns(module)));
        findings.push(match is_alone {
            true => Finding::hint(&rule.origin, "it says what holds without it"),
            false => Finding::warning(&rule.origin, "it never decides: other rules say so already, or are stricter"),
        });
        kept = without;
    }
    findings
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

    fn module(names: &str, says: &str) -> String {
        format!("[[module]]\nnames = [{names}]\n{says}\nreason = \"x\"\n")
    }

    #[test]
    fn what_is_installed_needs_no_word() {
        let clock = grant("permit", "network", "modules = [\"com.example.net\"]");
        let rules = command("\"__com.example_addresses\", \"__com.example_*\"") + &clock;
        assert_eq!(told(&(rules + &module("\"com.example.*\"", "probation = 5"))), [""; 0]);
    }

    #[test]
    fn what_is_not_installed_is_told() {
        let forbid = grant("forbid", "clock", "modules = [\"com.example.nte\"]");
        let limit = "[[limit]]\nmodules = [\"com.example.nte\"]\nhandles = 1\n";
        let rules = command("\"__com.example_adresses\", \"__org.*\"") + &forbid + limit;
        let expected = [
            "p:2:1? no module that is installed has the command '__com.example_adresses'",
            "p:2:1? '__org.*' stands for no command of a module that is installed",
            "p:5:1? no module 'com.example.nte' is installed",
            "p:9:1? no module 'com.example.nte' is installed",
            "p:12:1? 'org.*' stands for no module that is installed",
        ];
        assert_eq!(told(&(rules + &module("\"org.*\"", "probation = 5"))), expected);
    }

    #[test]
    fn only_built_in_modules_are_replaced() {
        assert_eq!(told(&module("\"file\"", "replace = true")), [""; 0]);
        let found = told(&module("\"com.example.net\"", "replace = true"));
        assert_eq!(found, ["p:2:1 'replace' says nothing of a vendor's module: only a built-in one can be replaced"]);
        let found = told(&module("\"*\"", "replace = true"));
        assert_eq!(found, ["p:2:1 '*' lets several built-in modules be replaced: name those that you mean"]);
    }

    #[test]
    fn a_rule_about_modules_that_never_decides() {
        let (long, short) =
            (module("\"com.example.*\"", "probation = 9"), module("\"com.example.net\"", "probation = 5"));
        let never = "p:6:1 it never decides: other rules say so already, or are stricter";
        assert_eq!(told(&(long.clone() + &short)), [never]);
        assert_eq!(told(&(long.clone() + &long)), [never], "one stays");
        assert_eq!(told(&(short + &long.replace('9', "4"))), [""; 0], "modules that are still to come");
        assert_eq!(told(&module("\"file\"", "probation = 20")), ["p:2:1? it says what holds without it"]);
    }
}
