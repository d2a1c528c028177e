//! The side that rules and acts. It keeps what outlives a request, decides whether a command may run, asks the gate for what a
//! module wants, and remembers what came of it. What it is told comes as messages (`bulkhead-border`), and none of them is
//! believed in what the broker can know for itself: which module answers a command, what that module imports, whether file
//! systems are frozen.
//!
//! ```text
//! serve          one message, one reply
//!   request      a request is opened (rulings) and closed (denials, log, audit)
//!   calls        what its module asks meanwhile: of the gate, or of what is kept here:
//!     files, freezer, processes, agent
//! ```
//!
//! It knows no engine and none of the client's bytes. What it keeps: [`handles`], [`children`], [`state`] (the state directory, the
//! frozen flag); what it rules by: [`policy_files`], [`rulings`]; what it tells: [`auditing`], [`logging`], [`counts`].

// A message, and what becomes of it.
mod serve;

mod request;

mod calls;

mod agent;
mod files;
mod freezer;
mod processes;

// Whether a command may run.
pub mod policy_files;
pub mod rulings;

// What outlives a request.
pub mod children;
pub mod handles;
pub mod state;

// What is told of it.
mod acting;
pub mod auditing;
pub mod counts;
pub mod logging;

#[cfg(test)]
mod testing;

pub use freezer::thawed;
pub use serve::{Here, Offence};

use auditing::Audit;
use bulkhead_catalog::Capability;
use bulkhead_catalog::commands::{Catalog, Command};
use bulkhead_gate::Gate;
use children::Children;
use counts::Counts;
use freezer::OnceThawed;
use handles::Handles;
use logging::LogHold;
use request::Open;
use rulings::{Lists, Ruling, Rulings};
use state::State;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The broker, shared by those that have something to tell it. One of them speaks at a time, on one thread, and holds the borrow
/// only for what it says.
pub type SharedBroker = Rc<RefCell<Broker>>;

/// What serves as a module.
#[derive(Clone, Debug)]
pub struct Serving {
    /// The SHA-256 of a built-in one's code, of an installed one's component.
    pub digest: Rc<str>,
    /// What it imports.
    pub imports: Rc<[Capability]>,
}

/// What outlives a request, and who rules over it.
#[derive(Debug)]
pub struct Broker {
    /// The way to everything privileged.
    pub gate: Gate,
    /// Open files.
    pub handles: Handles,
    /// Programs that run on their own.
    pub children: Children,
    /// How much was asked.
    pub counts: Counts,
    rulings: Rulings,
    /// What serves as each module.
    serving: HashMap<&'static str, Serving>,
    state: State,
    log: LogHold,
    audit: Audit,
    /// The request under way.
    open: Option<Open>,
    /// How many requests were opened.
    opened: u64,
    /// What was frozen since the frozen state began, in order.
    frozen_here: Vec<Vec<u8>>,
    /// What waits for the thaw.
    once_thawed: Vec<OnceThawed>,
}

impl Broker {
    /// One whose log is written to memory from now on if it starts frozen.
    pub fn new(gate: Gate, lists: Lists, state: State, log: LogHold) -> Self {
        if state.is_frozen() {
            log.hold();
        }
        Broker {
            gate,
            handles: Handles::default(),
            children: Children::default(),
            counts: Counts::default(),
            rulings: Rulings::new(lists),
            serving: HashMap::new(),
            state,
            log,
            audit: Audit::default(),
            open: None,
            opened: 0,
            frozen_here: Vec::new(),
            once_thawed: Vec::new(),
        }
    }

    /// The commands that there are.
    pub fn catalog(&self) -> &Catalog {
        self.rulings.catalog()
    }

    /// From now on these are there. Modules that could not be loaded get another chance.
    pub fn set_catalog(&mut self, catalog: Catalog) {
        self.rulings.set_catalog(catalog);
    }

    /// From now on these serve as the modules of these names.
    pub fn set_serving(&mut self, serving: HashMap<&'static str, Serving>) {
        self.serving = serving;
    }

    /// From now on what happens is written to `audit`, or kept for it if the agent starts frozen.
    pub fn set_audit(&mut self, audit: Audit) {
        if self.state.is_frozen() {
            audit.hold();
        }
        self.audit = audit;
    }

    /// Where what happens is written.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Whether `command` might run now, if it were the first of its kind; nothing counts it.
    pub fn rule(&self, command: &Command) -> Ruling {
        self.rulings.of(command, self.is_frozen(), &self.gate.policy(), |_| 0)
    }

    /// At the end of the agent: the record of handles becomes exact.
    pub fn close(&mut self) {
        self.state.close();
    }

    /// Waits for programs that have ended.
    pub fn reap_children(&mut self) {
        self.children.reap(&self.gate);
    }
}

/// Our own version.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
