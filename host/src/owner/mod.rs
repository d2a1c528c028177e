//! The owner's side: the files of the policy, and the tools to look at them.

mod audit;
mod cases;
mod check;
mod diff;
mod explain;
mod files;
mod known;
mod named;
mod outcome;
mod rehearse;
mod reload;
mod schema;
mod show;
mod status;
mod suggest;
mod tools;

pub use bulkhead_trust::TrustError;
pub use cases::failures;
pub(crate) use explain::condition;
pub use explain::explain;
pub use files::{DEFAULT_POLICY, Loaded, PolicyFiles, PolicyFilesError, digest, is_drop_in, profile};
pub use known::Known;
pub use rehearse::{Decision, RehearsalError, Rehearsed, Stage};
pub(crate) use reload::{configured, is_frozen};
pub use suggest::suggest;
pub(crate) use tools::Where;
pub use tools::{TOOLS, run, unfolded};
