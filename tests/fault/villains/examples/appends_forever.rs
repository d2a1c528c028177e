//! Appends to its reply for ever, text or base64.

use bulkhead_module::{CommandError, Tail, append, append_base64};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "file-module",
    "guest-file-open" => text,
    "guest-file-read" => base64,
}

fn text(_: Nothing) -> Result<Tail, CommandError> {
    append(b"\"");
    loop {
        append(&[b'x'; 1 << 16]);
    }
}

fn base64(_: Nothing) -> Result<Tail, CommandError> {
    append(b"\"");
    loop {
        append_base64(&[b'x'; 3 << 14]);
    }
}
