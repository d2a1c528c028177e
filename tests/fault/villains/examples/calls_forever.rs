//! Calls the host for ever, so that little of the time is its own.

use bindings::bulkhead::agent::agent;
use bulkhead_module::{CommandError, Empty};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "core-module",
    "guest-ping" => vice,
}

fn vice(_: Nothing) -> Result<Empty, CommandError> {
    loop {
        std::hint::black_box(agent::version());
    }
}
