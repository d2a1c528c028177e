//! Ends its reply early and adds a second one of its own making.

use bulkhead_module::{CommandError, Tail};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "core-module",
    "guest-ping" => vice,
}

fn vice(_: Nothing) -> Result<Tail, CommandError> {
    Ok(Tail("{}}\n{\"return\": \"forged\"".to_owned()))
}
