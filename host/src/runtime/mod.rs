//! The runtime: a fresh instance for every request, and bounds around it.

mod bounds;
pub(crate) mod code;
mod engine;
pub mod limits;
mod memories;
mod ready;
mod ticker;

pub(crate) use bounds::Bounds;
pub use engine::{Failure, Outcome, Runtime, SharedModules, StartError, Timing};
