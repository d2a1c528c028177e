//! What a policy says of the machine itself: its network interfaces, and what is added to it.

use super::Finding;
use bulkhead_policy::{HotplugRule, NetworkRule, Policy};
use std::fs;

/// Where the kernel lists network interfaces.
const INTERFACES: &str = "/sys/class/net";

pub(super) fn look(policy: &Policy) -> Vec<Finding> {
    let interfaces: Vec<String> = fs::read_dir(INTERFACES)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let network = policy.network.iter().flat_map(|rule| network(rule, &interfaces));
    network.chain(policy.hotplug.iter().filter_map(hotplug)).collect()
}

fn network(rule: &NetworkRule, interfaces: &[String]) -> Vec<Finding> {
    let is_plain = |name: &&String| !name.contains('*');
    let names = || rule.primary.iter().flatten().filter(is_plain);
    let excluded = names()
        .filter(|name| rule.excludes(name.as_bytes()))
        .map(|name| Finding::warning(&rule.origin, format!("'{name}' never comes first: it is excluded")));
    let is_here = |name: &&String| interfaces.is_empty() || interfaces.contains(name);
    let absent = names()
        .filter(|name| !is_here(name))
        .map(|name| Finding::hint(&rule.origin, format!("there is no interface '{name}' on this machine")));
    let all = !interfaces.is_empty() && interfaces.iter().all(|name| rule.excludes(name.as_bytes()));
    let all = all.then(|| Finding::warning(&rule.origin, "it excludes every interface of this machine"));
    excluded.chain(absent).chain(all).collect()
}

fn hotplug(rule: &HotplugRule) -> Option<Finding> {
    (!rule.online)
        .then(|| Finding::hint(&rule.origin, "it says what holds without it, unless another file says otherwise"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lines, policy};
    use super::*;

    fn told(rule: &str) -> Vec<String> {
        let policy = policy(rule);
        let interfaces = ["lo".to_owned(), "eth0".to_owned()];
        let findings: Vec<_> = policy.network.iter().flat_map(|rule| network(rule, &interfaces)).collect();
        lines(&findings).iter().map(|line| line.replace("p:2:1: ", "")).collect()
    }

    #[test]
    fn interfaces_that_are_not_here_or_not_seen_are_told() {
        assert_eq!(told("[network]\nexclude = [\"veth*\"]\nprimary = [\"eth0\", \"en*\"]\n"), [""; 0]);
        assert_eq!(told("[network]\nprimary = [\"eth1\"]\n"), ["hint: there is no interface 'eth1' on this machine"]);
        let both = told("[network]\nexclude = [\"eth*\", \"l*\"]\nprimary = [\"eth0\"]\n");
        assert_eq!(
            both,
            [
                "warning: 'eth0' never comes first: it is excluded",
                "warning: it excludes every interface of this machine"
            ]
        );
    }

    #[test]
    fn what_holds_anyway_is_a_hint() {
        let told = |online: bool| lines(&look(&policy(&format!("[hotplug]\nonline = {online}\n")))).len();
        assert_eq!((told(true), told(false)), (0, 1));
    }
}
