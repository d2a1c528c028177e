//! `bulkhead policy`: the tools to look at a policy, to try it, and to put it in force. Each is a file.
//!
//! [`Stage`] is what they rehearse on: the real runtime and dispatcher, without a system behind them. [`Known`] is which modules
//! and commands there are.

pub(crate) mod cases;
pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod reload;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod suggest;

mod known;
mod named;
mod outcome;
mod rehearse;

pub use cases::failures;
pub(crate) use explain::condition;
pub use explain::explain;
pub use known::Known;
pub use rehearse::{Decision, RehearsalError, Rehearsed, Stage};
pub use suggest::suggest;

use crate::which::Which;
use bulkhead_host::runtime::StartError;

// Here, and not beside the options: these know nothing of what a tool does with them.
impl Which {
    /// The modules. If what is installed cannot be told, that is said on stderr, and the tool goes on with the built-in ones.
    pub(crate) fn known(&self) -> Known {
        let known = Known::read(&self.store);
        if let Some(fault) = known.fault() {
            eprintln!("bulkhead: installed modules are left out: {fault}");
        }
        known
    }

    /// Where requests to these modules are rehearsed.
    pub(crate) fn stage(&self) -> Result<Stage, StartError> {
        let stage = Stage::with(&self.known())?;
        stage.faults().iter().for_each(|fault| eprintln!("bulkhead: {fault}"));
        Ok(stage)
    }
}
