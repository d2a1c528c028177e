//! The owner's side: the files of the policy, and the tools to look at them.

mod audit;
mod cases;
mod check;
mod diff;
mod explain;
mod files;
mod named;
mod outcome;
mod rehearse;
mod reload;
mod schema;
#[cfg(test)]
mod scratch;
mod show;
mod suggest;
mod tools;
mod trusted;

pub use cases::failures;
pub use explain::explain;
pub use files::{DEFAULT_POLICY, Loaded, PolicyFiles, PolicyFilesError, digest, is_drop_in, profile};
pub use rehearse::{Decision, RehearsalError, Rehearsed, Stage};
pub use suggest::suggest;
pub use tools::run;
pub use trusted::TrustError;
