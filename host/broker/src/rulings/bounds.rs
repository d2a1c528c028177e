//! What the owner's policy says of the compartment of a module.

use bulkhead_border::request::{Bound, Bounds};
use bulkhead_policy::{Limits, Policy};

/// What the compartment of `module` may use by the policy.
pub fn bounds(module: &str, policy: &Policy) -> Bounds {
    let memory = |limits: &Limits| limits.memory.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    Bounds { memory: bound(module, policy, memory), time: bound(module, policy, |limits| limits.deadline) }
}

/// The narrowest of what all rules say.
fn bound<T: Ord>(module: &str, policy: &Policy, said: impl Fn(&Limits) -> Option<T>) -> Option<Bound<T>> {
    let rules = policy.limit_rules(module).filter_map(|rule| Some((said(&rule.limits)?, rule)));
    let narrowest = rules.min_by(|(one, _), (other, _)| one.cmp(other));
    narrowest.map(|(most, rule)| Bound { most, rule: rule.origin.to_string() })
}
