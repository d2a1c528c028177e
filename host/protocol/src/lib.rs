//! The wire: bytes from the client become requests, replies become bytes. Nothing here does I/O.
//!
//! ```text
//! bytes -> lexer, string, scan   tokens, nothing read anew, however the bytes are cut
//!          grammar               is this token allowed here?
//!          duplicates            has this object got the key already?
//!          draft, rewrite        the message so far, as strict JSON, within its limits
//!          spare                 the memory of a large one, for the next
//!          envelope, canonical   where its members lie; the id as it is echoed
//!          framing, recovery     one message after another; what follows a broken one
//!       -> Message               a Request, or what to answer instead of one
//! arguments -> parts            what the audit shows of a Request, found by the same lexer and grammar
//!
//! module's return -> checker    exactly one JSON value, in one line of ASCII
//!                    success    with what stands before and behind it
//!                 -> reply      -> bytes, piece by piece
//! ```
//!
//! qemu-ga reads a stream of JSON values, not lines: a message is complete at its closing brace, and two may abut. It
//! accepts a little more than RFC 8259 (strings in apostrophes, the escape `\'`, the bytes C0 80 for U+0000), and we
//! accept the same. The host parses the envelope only. `arguments` stays text, for a guest module to parse in its
//! compartment; of it the host remembers no more than where long strings stand. That text is always strict RFC 8259: what
//! the extensions allow is rewritten on the way.
//!
//! Two differences from qemu-ga are deliberate. The state of the parser ends with the connection: half a message of
//! one client is never completed by the next. And a zero may have an exponent (`0e1`), as RFC 8259 says.

mod canonical;
mod checker;
mod draft;
mod duplicates;
mod envelope;
mod fault;
mod framing;
mod grammar;
mod lexer;
mod limits;
mod message;
mod parts;
mod recovery;
mod reply;
mod rewrite;
mod scan;
mod spare;
mod string;
mod success;
mod text;
mod unique;

pub use canonical::Id;
pub use checker::{NotOneValue, ReturnChecker};
pub use framing::Framer;
pub use limits::Limits;
pub use message::{LongString, Message, Rejected, Request};
pub use parts::{Part, Parts, contents, meaning};
pub use reply::{ErrorClass, Reply, SENTINEL};
pub use success::Success;
pub use text::push_escaped;
