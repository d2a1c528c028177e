//! The audit: one line for each command, for the owner to keep. What stands in a line is the host's business; here lines
//! are numbered, chained, kept and checked.
//!
//! ```text
//! Entry -> trail     numbered and chained; held back while file systems are frozen; what is lost is counted
//!          repeats   of lines that say the same the first is written, and how many there were
//!          budget    how fast lines of each kind may come
//!       -> file      appended, wherever the path leads now
//!       -> journal   one datagram that never waits
//! file  -> verify    are the lines whole?
//! ```
//!
//! A line is one JSON object in one line of ASCII. It begins with its number and the SHA-256 of the line before it, so a
//! line that is changed, removed or moved no longer fits the next.

mod budget;
mod chain;
mod entry;
mod file;
mod journal;
mod limits;
mod repeats;
mod ring;
mod text;
mod time;
mod trail;
mod verify;

pub use budget::Kind;
pub use entry::{Entry, Members};
pub use limits::Limits;
pub use text::quoted;
pub use time::rfc3339;
pub use trail::{Figures, Notice, Trail};
pub use verify::{Fault, Loss, Report, verify};
