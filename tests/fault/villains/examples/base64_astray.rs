//! Adds base64 where its reply has no string.

use bulkhead_module::{CommandError, Tail, append, append_base64};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "file-module",
    "guest-file-open" => vice,
}

fn vice(_: Nothing) -> Result<Tail, CommandError> {
    append(b"[\"");
    append_base64(b"one");
    append(b"\", ");
    append_base64(b"two");
    Ok(Tail("]".to_owned()))
}
