//! What the author of a guest module uses.
//!
//! A module answers commands. Each command is a function from typed arguments to a typed return:
//!
//! ```ignore
//! pub fn seek(arguments: GuestFileSeekArguments) -> Result<GuestFileSeek, CommandError> { ... }
//! ```
//!
//! The types come from `schemas/` by way of the module's build script; [`module!`] joins the functions to the
//! component's one export. Between the two stand, in the order in which a request meets them:
//!
//! - [`arguments`]: the text of the arguments becomes [`Members`]; long strings stay with the host, to be read piece by piece;
//! - [`json`]: members become Rust values, or the error that QAPI's checks would give;
//! - [`error`]: what the client gets in place of a return;
//! - [`returns`]: Rust values become the text of the return, in qemu-ga's form.

pub mod arguments;
pub mod base64;
mod bytes;
pub mod error;
pub mod heap;
pub mod json;
pub mod log;
mod module;
pub mod mountinfo;
mod parse;
pub mod returns;
mod streamed;

/// The interfaces that every module shares, as made from `wit/`.
#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, reason = "made by wit-bindgen; documented in wit/")]
pub mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "sdk", generate_all, additional_derives: [PartialEq, Eq] });
}

pub use arguments::{ArgumentText, FromArguments, Members};
pub use bindings::bulkhead::agent::types::{CommandError, ErrorClass, ErrorCode, MountError, Mounted, ProgramError};
pub use bytes::{count, find};
pub use json::{FromJson, Json, Kind, Path, enum_text};
pub use module::answer;
pub use returns::{Empty, IntoReturn, Tail, append, append_base64};
pub use streamed::{DECODED_PIECE, Streamed};
#[doc(hidden)]
pub use wit_bindgen;
