//! Modules that come and go while an agent runs, put into its store without the owner's tools.
#![allow(clippy::missing_panics_doc, reason = "a failed helper fails the test that called it")]

mod shelf;
mod status;
mod vendor;

pub use shelf::{Sample, Shelf, soon};
pub use status::{said_by_status, serves_by_status, status};
pub use vendor::{COMMAND, NAME, both_installed, choose, number, start};
