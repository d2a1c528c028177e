//! Calls itself without end.

use bulkhead_module::{CommandError, Empty};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "core-module",
    "guest-ping" => vice,
}

fn vice(_: Nothing) -> Result<Empty, CommandError> {
    std::hint::black_box(deeper(1));
    Ok(Empty {})
}

#[expect(unconditional_recursion, reason = "the vice")]
fn deeper(depth: u64) -> u64 {
    std::hint::black_box(deeper(std::hint::black_box(depth + 1)) + depth)
}
