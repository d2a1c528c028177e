//! A good module: version 1 of it answers with 1.

use bulkhead_module::CommandError;
use bulkhead_samples::How;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "core-module",
    "__com.example_answer" => answer,
}

fn answer(how: How) -> Result<i64, CommandError> {
    how.answer(1)
}
