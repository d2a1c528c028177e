//! Lines for the owner's log.

use crate::bindings::bulkhead::agent::log::{Level, write};
use std::panic::PanicHookInfo;

/// Something failed and the owner should know.
pub fn error(text: &str) {
    write(Level::Error, text);
}

/// Something odd that was dealt with.
pub fn warning(text: &str) {
    write(Level::Warning, text);
}

/// What was done, worth keeping.
pub fn info(text: &str) {
    write(Level::Info, text);
}

/// For whoever writes the module.
pub fn debug(text: &str) {
    write(Level::Debug, text);
}

/// From now on a panic says where it happened before it becomes a trap. Called by [`module!`](crate::module).
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(report_panic));
}

/// Only literal messages are repeated: a formatted one may quote what the client sent, and that may be a password.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
    let message = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("message withheld");
    error(&format!("panic{place}: {message}"));
}
