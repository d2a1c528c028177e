//! Gives a program input as long as the host takes it. Tells how many mebibytes that were, or breaks without a word.

use bindings::bulkhead::agent::processes;
use bulkhead_module::{CommandError, ErrorCode};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "exec-module",
    "guest-exec-status" => tell,
    "guest-exec" => trap,
}

fn tell(_: Nothing) -> Result<u32, CommandError> {
    let mebibyte = vec![b'x'; 1 << 20];
    let mut taken = 0;
    loop {
        match processes::add_input(&mebibyte) {
            Ok(()) => taken += 1,
            Err(ErrorCode::FileTooLarge) => return Ok(taken),
            Err(other) => return Err(CommandError::generic(other.text())),
        }
    }
}

fn trap(nothing: Nothing) -> Result<u32, CommandError> {
    tell(nothing)?;
    panic!("and now?")
}
