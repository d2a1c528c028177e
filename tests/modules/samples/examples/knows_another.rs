//! Knows another command than its manifest says.

use bulkhead_module::CommandError;
use bulkhead_samples::How;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "core-module",
    "__com.example_other" => answer,
}

fn answer(how: How) -> Result<i64, CommandError> {
    how.answer(1)
}
