//! Which commands would run: what guest-info tells. Clients ask often, and the answer seldom changes.

use super::Lists;
use bulkhead_catalog::commands::{Catalog, Command};
use bulkhead_policy::Policy;
use std::rc::Rc;

/// For each command of a catalog, in its order, whether it would run.
#[derive(Debug)]
pub(super) struct Enabled {
    commands: Vec<bool>,
    policy: Rc<Policy>,
    catalog: Catalog,
    lists: Lists,
    frozen: bool,
    broken: usize,
}

/// All that the answer depends on.
pub(super) struct Because<'a> {
    /// The policy in force.
    pub(super) policy: &'a Rc<Policy>,
    /// The commands that there are.
    pub(super) catalog: &'a Catalog,
    /// The owner's lists.
    pub(super) lists: &'a Lists,
    /// Whether file systems are frozen.
    pub(super) frozen: bool,
    /// How many modules could not be loaded: they only become more while the catalog stays.
    pub(super) broken: usize,
}

impl Enabled {
    /// As `runs` says of each command.
    pub(super) fn new(because: &Because<'_>, runs: impl Fn(&Command) -> bool) -> Self {
        Enabled {
            commands: because.catalog.all().iter().map(runs).collect(),
            policy: Rc::clone(because.policy),
            catalog: because.catalog.clone(),
            lists: because.lists.clone(),
            frozen: because.frozen,
            broken: because.broken,
        }
    }

    /// Whether the answer is still the same. Policies and catalogs are replaced as a whole, and compared by where they are: the
    /// old ones are kept here, so no other can be in their place.
    pub(super) fn holds(&self, because: &Because<'_>) -> bool {
        Rc::ptr_eq(&self.policy, because.policy)
            && self.catalog.is_same(because.catalog)
            && self.lists == *because.lists
            && (self.frozen, self.broken) == (because.frozen, because.broken)
    }

    /// The answer.
    pub(super) fn commands(&self) -> &[bool] {
        &self.commands
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy_files::profile;

    #[test]
    fn whatever_changes_the_answer_ends_it() {
        let (policy, catalog, lists) = (Rc::new(profile("full")), Catalog::built_in(), Lists::default());
        let because = || Because { policy: &policy, catalog: &catalog, lists: &lists, frozen: false, broken: 0 };
        let known = Enabled::new(&because(), |command| command.name == "guest-ping");
        assert_eq!(known.commands().iter().filter(|runs| **runs).count(), 1);
        assert!(known.holds(&because()));
        assert!(known.holds(&Because { catalog: &catalog.clone(), ..because() }), "a copy is the same");
        let blocked = Lists { block: vec!["guest-ping".to_owned()], ..Lists::default() };
        assert!(!known.holds(&Because { policy: &Rc::new(profile("full")), ..because() }));
        assert!(!known.holds(&Because { catalog: &Catalog::built_in(), ..because() }));
        assert!(!known.holds(&Because { lists: &blocked, ..because() }));
        assert!(!known.holds(&Because { frozen: true, ..because() }));
        assert!(!known.holds(&Because { broken: 1, ..because() }));
    }
}
