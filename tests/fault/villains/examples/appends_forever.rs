//! Appends to its reply for ever, text or base64.

use bulkhead_module::{CommandError, Tail, append, append_base64};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "file-module",
    "guest-file-open" => text,
    "guest-file-read" => base64,
}

/// What is appended each time. Larger constants would not fit into the memory that a compartment has from its start.
static PIECE: [u8; 3 << 14] = [b'x'; 3 << 14];

fn text(_: Nothing) -> Result<Tail, CommandError> {
    append(b"\"");
    loop {
        append(&PIECE);
    }
}

fn base64(_: Nothing) -> Result<Tail, CommandError> {
    append(b"\"");
    loop {
        append_base64(&PIECE);
    }
}
