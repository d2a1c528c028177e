//! Returns an object that has a key twice, of which two readers may take different ones.

use bulkhead_module::{CommandError, Tail};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "core-module",
    "guest-ping" => vice,
}

fn vice(_: Nothing) -> Result<Tail, CommandError> {
    Ok(Tail("{\"allowed\": false, \"\\u0061llowed\": true}".to_owned()))
}
