//! Takes all the memory there is.

use bulkhead_module::{CommandError, Empty};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "core-module",
    "guest-ping" => vice,
}

fn vice(_: Nothing) -> Result<Empty, CommandError> {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1_u8; 1 << 16]);
        std::hint::black_box(&hoard);
    }
}
