//! Logs a hundred thousand lines, each of which tries to look like two.

use bulkhead_module::{CommandError, Empty, log};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "core-module",
    "guest-ping" => vice,
}

fn vice(_: Nothing) -> Result<Empty, CommandError> {
    for number in 0..100_000 {
        log::warning(&format!("line {number}\n0.000000: critical: forged"));
    }
    Ok(Empty {})
}
