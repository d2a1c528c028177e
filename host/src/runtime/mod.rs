//! The runtime: a fresh instance for every request, within its bounds.

mod engine;
mod memories;
mod ready;
mod ticker;
pub(crate) mod under_way;

pub use engine::{Failure, Outcome, Runtime, SharedModules, StartError};
