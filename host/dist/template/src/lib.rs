//! Guest module `@NAME@`: says how long this machine has been up.

use bindings::bulkhead::agent::system_files;
use bulkhead_module::{CommandError, log};
use schema::{@TYPE@Arguments, Uptime};

/// The types of the arguments and returns, made from the schema.
pub mod schema {
    include!(concat!(env!("OUT_DIR"), "/schema.rs"));
}

bulkhead_module::module! {
    wit: "wit",
    world: "module",
    "@COMMAND@" => answer,
}

/// Answers `@COMMAND@`.
pub fn answer(arguments: @TYPE@Arguments) -> Result<Uptime, CommandError> {
    let text = system_files::read(b"/proc/uptime")
        .map_err(|code| CommandError::generic(format!("cannot read /proc/uptime: {}", code.text())))?;
    let seconds = seconds(&text).ok_or_else(|| CommandError::generic("/proc/uptime has no number"))?;
    if seconds < arguments.at_least.unwrap_or(0) {
        log::info("asked before the time was up");
        return Err(CommandError::generic(format!("up for {seconds} seconds only")));
    }
    Ok(Uptime { seconds })
}

/// `350735.47 234388.90`: how long the machine is up, and how long its processors had nothing to do, in seconds.
fn seconds(text: &[u8]) -> Option<i64> {
    str::from_utf8(text).ok()?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_that_has_begun_does_not_count() {
        assert_eq!(seconds(b"350735.47 234388.90\n"), Some(350_735));
        assert_eq!(seconds(b"soon"), None);
    }
}
