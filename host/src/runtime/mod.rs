//! The runtime: a fresh instance for every request, and bounds around it.

mod engine;
pub mod limits;
mod ticker;

pub use engine::{Failure, Outcome, Runtime, StartError};
