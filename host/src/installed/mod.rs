//! Installed modules come and go while the agent runs: its store is read again when it changes, and the line-up is swapped
//! whole between two requests.
//!
//! ```text
//! the store changes (inotify), SIGHUP, a module has failed
//!   -> errand     another thread: reads state.json, compares digests, makes the code ready
//!   -> line-up    between two requests: the table of modules and the list of commands, in one step
//! ```
//!
//! No request waits for the store: its disk may be slow, full, read-only or gone. What serves goes on serving until something
//! better could be read whole. While file systems are frozen nothing is swapped and nothing is written.

pub mod lineup;

mod load;

mod record;

mod health;

mod swapping;

mod errand;

mod recompile;

#[cfg(test)]
mod samples;

pub use load::{Candidate, of_store};
pub use swapping::Swapping;
