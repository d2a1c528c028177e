//! Adds base64 to its reply for ever.

use bulkhead_module::{CommandError, Tail, append, append_base64};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "file-module",
    "guest-file-open" => vice,
}

fn vice(_: Nothing) -> Result<Tail, CommandError> {
    append(b"\"");
    loop {
        append_base64(&[b'x'; 3 << 14]);
    }
}
