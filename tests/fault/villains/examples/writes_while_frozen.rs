//! A vendor's module that says of its command that it may run while file systems are frozen, and then opens, writes and closes.

use bindings::bulkhead::agent::files::{self, HandleError, OpenFlags};
use bulkhead_module::{CommandError, ErrorCode, FromArguments, Members};
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "file-module",
    "__com.example_open" => open,
    "__com.example_write" => write,
}

/// The arguments of `__com.example_write`.
struct Handle(i64);

impl FromArguments for Handle {
    fn from_arguments(members: &mut Members) -> Result<Self, CommandError> {
        Ok(Handle(members.optional("handle")?.unwrap_or_default()))
    }
}

fn open(_: Nothing) -> Result<i64, CommandError> {
    files::open("/dev/null", OpenFlags::WRITE).map_err(|code| CommandError::generic(code.text()))
}

/// What became of each attempt: a digit that is 1 where it was denied.
fn write(Handle(handle): Handle) -> Result<i64, CommandError> {
    let is_denied = |result: Result<(), HandleError>| matches!(result, Err(HandleError::Failed(ErrorCode::Denied)));
    let denied = [
        matches!(files::open("/dev/null", OpenFlags::WRITE), Err(ErrorCode::Denied)),
        is_denied(files::write(handle, b"x")),
        is_denied(files::close(handle)),
    ];
    Ok(denied.into_iter().fold(0, |number, denied| number * 10 + i64::from(denied)))
}
