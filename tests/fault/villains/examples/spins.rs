//! Never returns.

use bulkhead_module::{CommandError, Empty};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "core-module",
    "guest-ping" => vice,
}

fn vice(_: Nothing) -> Result<Empty, CommandError> {
    loop {
        std::hint::black_box(());
    }
}
