//! Starts a program, and tries every number that might be another one's; tells how many answered.

use bindings::bulkhead::agent::processes::{self, Output, Program, Stream};
use bulkhead_module::CommandError;
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "exec-module",
    "guest-exec-status" => guess,
    "guest-exec" => start,
}

fn guess(_: Nothing) -> Result<u32, CommandError> {
    let guesses = (-10..5000).chain([i64::MIN, i64::MAX, (1 << 32) + 1, i64::from(i32::MAX) + 1]);
    let found = guesses.filter(|handle| {
        processes::status(*handle).is_ok()
            || processes::read_output(*handle, Stream::Stdout, u64::MAX, u32::MAX).is_ok()
            || processes::forget(*handle).is_ok()
    });
    Ok(u32::try_from(found.count()).unwrap_or(u32::MAX))
}

fn start(_: Nothing) -> Result<i64, CommandError> {
    let mut program = Program {
        path: b"/bin/it".to_vec(),
        arguments: Vec::new(),
        environment: None,
        input: false,
        stdout: Output::Merge,
        stderr: Output::Discard,
    };
    if processes::start(&program).is_ok() {
        return Err(CommandError::generic("standard output cannot be merged into itself"));
    }
    program.stdout = Output::Capture;
    processes::start(&program).map_err(|code| CommandError::generic(code.text()))
}
