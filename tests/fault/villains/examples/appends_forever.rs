//! Appends to its reply for ever.

use bulkhead_module::{CommandError, Tail, append};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "file-module",
    "guest-file-open" => vice,
}

fn vice(_: Nothing) -> Result<Tail, CommandError> {
    append(b"\"");
    loop {
        append(&[b'x'; 1 << 16]);
    }
}
