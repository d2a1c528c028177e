//! Traps whenever it is asked, the first time too.

use bulkhead_module::CommandError;
use bulkhead_samples::How;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "core-module",
    "__com.example_answer" => answer,
}

#[expect(clippy::panic, reason = "that is what it is for")]
fn answer(_: How) -> Result<i64, CommandError> {
    panic!("it always traps");
}
