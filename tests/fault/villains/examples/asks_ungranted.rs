//! Wants to switch the machine off, in the place of a module that may not.

use bindings::bulkhead::agent::power::{self, Mode, Tool};
use bulkhead_module::{CommandError, Empty};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "power-module",
    "guest-ping" => vice,
}

fn vice(_: Nothing) -> Result<Empty, CommandError> {
    power::run(Tool::Poweroff, Mode::Powerdown)
        .map(|()| Empty {})
        .map_err(|error| CommandError::program("shutdown", &error))
}
