//! Counts its calls in a global, to see whether anything survives a request.

use bulkhead_module::CommandError;
use bulkhead_villains::Nothing;
use std::sync::atomic::{AtomicU32, Ordering};

bulkhead_module::module! {
    wit: "../../../wit",
    world: "core-module",
    "guest-ping" => vice,
}

static CALLS: AtomicU32 = AtomicU32::new(0);

fn vice(_: Nothing) -> Result<u32, CommandError> {
    Ok(CALLS.fetch_add(1, Ordering::Relaxed) + 1)
}
