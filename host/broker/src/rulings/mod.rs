//! What may run. A client names a command; which one that is, which module answers it and whether it may run now follows from what
//! stands here, and from nothing that a module says.
//!
//! ```text
//! name -> command     catalog
//!      -> ruling      lists of the command line, frozen state, policy, pace, what its module is granted; a module that is broken
//!      -> denials     what the policy denied while it ran, for the owner
//! ```

mod ruling;

mod lists;

mod usable;

mod pace;

mod bounds;

mod enabled;

pub(crate) mod denials;

pub use bounds::bounds;
pub use lists::{Lists, name_fault};
pub use ruling::{By, Ruling, may_run_while_frozen};
pub(crate) use ruling::{is_thaw, leads_out};
pub use usable::{is_usable, missing};

use bulkhead_catalog::commands::{Catalog, Command};
use bulkhead_policy::Policy;
use enabled::{Because, Enabled};
use pace::Paces;
use std::rc::Rc;
use std::time::Duration;

/// What rulings rest on, besides the policy, which the gate has.
#[derive(Debug)]
pub(crate) struct Rulings {
    /// The commands that there are.
    catalog: Catalog,
    lists: Lists,
    paces: Paces,
    /// Modules that could not be loaded.
    broken: Vec<&'static str>,
    /// What guest-info was told last.
    enabled: Option<Enabled>,
}

impl Rulings {
    /// With the built-in commands.
    pub(crate) fn new(lists: Lists) -> Self {
        Rulings { catalog: Catalog::built_in(), lists, paces: Paces::default(), broken: Vec::new(), enabled: None }
    }

    /// The commands that there are.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// From now on these are there. Modules that could not be loaded get another chance.
    pub(crate) fn set_catalog(&mut self, catalog: Catalog) {
        self.catalog = catalog;
        self.broken.clear();
    }

    /// `module` cannot be loaded, and will not be.
    pub(crate) fn set_broken(&mut self, module: &'static str) {
        if !self.broken.contains(&module) {
            self.broken.push(module);
        }
    }

    /// A client asks for `command`, which counts for its pace whether it may run or not.
    pub(crate) fn on_call(&mut self, command: &Command, frozen: bool, policy: &Policy) -> Ruling {
        let ruling = self.of(command, frozen, policy, |within| self.paces.calls(command.name, within));
        self.paces.called(command.name);
        ruling
    }

    /// Whether `command` may run now. `calls` tells how often it came within a time until now.
    pub(crate) fn of(
        &self,
        command: &Command,
        frozen: bool,
        policy: &Policy,
        calls: impl Fn(Duration) -> u32,
    ) -> Ruling {
        // A thaw is done without its module if need be.
        let must_thaw = frozen && is_thaw(command.name);
        if !must_thaw && self.broken.contains(&command.module) {
            return Ruling::broken();
        }
        Ruling::of(command, frozen, &self.lists, policy, calls)
    }

    /// For each command of the catalog, in its order, whether it would run if it came now and were the first of its kind.
    pub(crate) fn enabled(&mut self, frozen: bool, policy: &Rc<Policy>) -> &[bool] {
        let because = Because { policy, catalog: &self.catalog, lists: &self.lists, frozen, broken: self.broken.len() };
        let known = self.enabled.take().filter(|known| known.holds(&because));
        let known = known
            .unwrap_or_else(|| Enabled::new(&because, |command| self.of(command, frozen, policy, |_| 0).permits()));
        self.enabled.insert(known).commands()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy_files::profile;
    use bulkhead_catalog::commands::find;
    use bulkhead_policy::Document;

    fn rulings() -> Rulings {
        Rulings::new(Lists::default())
    }

    #[test]
    fn what_is_refused_counts_too() {
        let text = "version = 1\n[[command]]\nnames = [\"*\"]\nmode = \"enforce\"\n\
                    [[command]]\nnames = [\"guest-ping\"]\nmode = \"deny\"\nfaster-than = { calls = 2, seconds = 60 }\n";
        let (commands, modules) = (bulkhead_catalog::commands::names(), bulkhead_catalog::modules::names());
        let document = Document::parse("p", text, &commands, &modules).unwrap();
        let policy = Policy::merge([document], &commands, &modules).unwrap();
        let (mut rulings, ping) = (rulings(), find("guest-ping").unwrap());
        let called = [(); 4].map(|()| rulings.on_call(ping, false, &policy).permits());
        assert_eq!(called, [true, true, false, false]);
        assert!(rulings.of(ping, false, &policy, |_| 0).permits(), "to ask whether it would run counts nothing");
        assert_eq!(rulings.paces.calls("guest-ping", Duration::from_secs(60)), 4);
    }

    #[test]
    fn a_broken_module_refuses_all_but_a_thaw_until_there_is_another() {
        let (mut rulings, policy) = (rulings(), Rc::new(profile("full")));
        let by = |rulings: &Rulings, name: &str, frozen| rulings.of(find(name).unwrap(), frozen, &policy, |_| 0).by;
        rulings.set_broken("filesystem");
        assert_eq!(by(&rulings, "guest-fstrim", false), By::Module);
        assert_eq!(by(&rulings, "guest-fsfreeze-status", true), By::Module);
        assert_eq!(by(&rulings, "guest-fsfreeze-thaw", true), By::Thaw);
        let refused = |rulings: &mut Rulings| rulings.enabled(false, &policy).iter().filter(|runs| !**runs).count();
        let broken = refused(&mut rulings);
        rulings.set_catalog(Catalog::built_in());
        assert!(matches!(by(&rulings, "guest-fstrim", false), By::Rule(_)));
        assert_eq!((broken, refused(&mut rulings)), (5, 0));
    }
}
