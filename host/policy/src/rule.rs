//! Rules of every kind, for who looks at all of them.

use crate::command::CommandRule;
use crate::error::Origin;
use crate::grant::{Grant, Value};
use crate::hotplug::HotplugRule;
use crate::limit::LimitRule;
use crate::module::ModuleRule;
use crate::network::NetworkRule;
use crate::policy::Policy;
use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

/// A rule. Its text is the form of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule<'a> {
    /// `[[command]]`.
    Command(&'a CommandRule),
    /// `[[permit]]` or `[[forbid]]`.
    Grant(&'a Grant),
    /// `[[limit]]`.
    Limit(&'a LimitRule),
    /// `[[module]]`.
    Module(&'a ModuleRule),
    /// `[network]`.
    Network(&'a NetworkRule),
    /// `[hotplug]`.
    Hotplug(&'a HotplugRule),
}

impl<'a> Rule<'a> {
    /// Where it stands.
    pub fn origin(self) -> &'a Origin {
        match self {
            Rule::Command(rule) => &rule.origin,
            Rule::Grant(rule) => &rule.origin,
            Rule::Limit(rule) => &rule.origin,
            Rule::Module(rule) => &rule.origin,
            Rule::Network(rule) => &rule.origin,
            Rule::Hotplug(rule) => &rule.origin,
        }
    }

    /// Its text with nothing but what it decides: without its reason, every list sorted. Two rules with the same one are
    /// the same.
    pub fn canonical(self) -> String {
        match self {
            Rule::Command(rule) => CommandRule { names: sorted(&rule.names), reason: None, ..rule.clone() }.to_string(),
            Rule::Grant(rule) => {
                let values = rule.values.iter().map(|(key, value)| (*key, plain(value))).collect();
                Grant { modules: sorted(&rule.modules), values, reason: String::new(), ..rule.clone() }.to_string()
            }
            Rule::Limit(rule) => LimitRule { modules: sorted(&rule.modules), reason: None, ..rule.clone() }.to_string(),
            Rule::Module(rule) => {
                ModuleRule { names: sorted(&rule.names), reason: String::new(), ..rule.clone() }.to_string()
            }
            // The order of the primary ones is what is said.
            Rule::Network(rule) => {
                NetworkRule { exclude: sorted(&rule.exclude), reason: None, ..rule.clone() }.to_string()
            }
            Rule::Hotplug(rule) => HotplugRule { reason: None, ..rule.clone() }.to_string(),
        }
    }
}

impl Display for Rule<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Command(rule) => rule.fmt(out),
            Rule::Grant(rule) => rule.fmt(out),
            Rule::Limit(rule) => rule.fmt(out),
            Rule::Module(rule) => rule.fmt(out),
            Rule::Network(rule) => rule.fmt(out),
            Rule::Hotplug(rule) => rule.fmt(out),
        }
    }
}

impl Policy {
    /// All rules, those of the profile included.
    pub fn rules(&self) -> impl Iterator<Item = Rule<'_>> {
        let commands = self.commands.iter().map(Rule::Command);
        let (limits, modules) = (self.limits.iter().map(Rule::Limit), self.modules.iter().map(Rule::Module));
        let (network, hotplug) = (self.network.iter().map(Rule::Network), self.hotplug.iter().map(Rule::Hotplug));
        let rules = commands.chain(self.grants.iter().map(Rule::Grant)).chain(limits).chain(modules);
        rules.chain(network).chain(hotplug)
    }
}

/// Every list of a rule is a set: neither order nor repetition says anything.
fn plain(value: &Value) -> Value {
    match value {
        Value::Texts(texts) => Value::Texts(sorted(texts)),
        Value::Patterns(patterns) => Value::Patterns(sorted(patterns)),
        Value::Numbers(numbers) => Value::Numbers(sorted(numbers)),
        Value::Templates(templates) => Value::Templates(sorted(templates)),
        other => other.clone(),
    }
}

fn sorted<T: Ord + Clone>(list: &[T]) -> Vec<T> {
    list.iter().cloned().collect::<BTreeSet<T>>().into_iter().collect()
}
