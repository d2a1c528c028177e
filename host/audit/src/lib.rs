//! The audit: one line for each command, for the owner to keep. What stands in a line is the host's business; here lines
//! are numbered, chained, kept and checked.
//!
//! ```text
//! Entry -> trail     numbered and chained; held back while file systems are frozen; what is lost is counted
//!       -> file      appended, wherever the path leads now
//!       -> journal   one datagram that never waits
//! file  -> verify    are the lines whole?
//! ```
//!
//! A line is one JSON object in one line of ASCII. It begins with its number and the SHA-256 of the line before it, so a
//! line that is changed, removed or moved no longer fits the next.

mod chain;
mod entry;
mod file;
mod journal;
mod ring;
mod time;
mod trail;
mod verify;

pub use entry::{Entry, Members};
pub use time::rfc3339;
pub use trail::{Notice, Trail};
pub use verify::{Fault, Loss, Report, verify};
