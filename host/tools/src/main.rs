//! `bulkhead`: the tools of a VM's owner, and of the authors of modules. The agent itself is another program, `bulkhead-agent`.

use bulkhead_tools::command_line::{run, unfolded};
use std::process::ExitCode;

fn main() -> ExitCode {
    run(unfolded(std::env::args_os()).into_iter())
}
