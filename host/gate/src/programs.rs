//! Running the programs that the gate itself knows. None of their paths and words is a client's.

use crate::{Gate, ProgramError};
use bulkhead_sys::Program;
use std::time::Duration;

/// How much of a failing program's output the client is shown, in bytes: enough for a message and its context, too
/// little to carry a file out.
const OUTPUT_LIMIT: usize = 4096;

impl Gate {
    /// Runs a program to its end, which it has to come to within `time_limit`. `input` is never logged.
    pub(crate) fn run_program(
        &self,
        path: &[u8],
        arguments: &[&str],
        input: Vec<u8>,
        time_limit: Duration,
    ) -> Result<(), ProgramError> {
        self.system.run(&Program {
            path: path.to_vec(),
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
            input,
            time_limit,
            output_limit: OUTPUT_LIMIT,
        })
    }
}
