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

mod enabled;

pub(crate) mod denials;

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
