//! Imports a capability, and answers with 1 if it was refused.

use bindings::bulkhead::agent::power::{self, Mode, Tool};
use bulkhead_module::CommandError;
use bulkhead_samples::How;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "power-module",
    "__com.example_answer" => answer,
}

fn answer(how: How) -> Result<i64, CommandError> {
    how.answer(i64::from(power::run(Tool::Poweroff, Mode::Powerdown).is_err()))
}
