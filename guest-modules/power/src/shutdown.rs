//! `guest-shutdown`: powerdown, halt or reboot. Success is not answered: the VM is on its way.

use crate::bindings::bulkhead::agent::power::{self, Mode, Tool};
use crate::refusal::{self, Deed};
use crate::schema::GuestShutdownArguments;
use bulkhead_module::{CommandError, Empty};

/// Prefers the mode's own program; where it is missing, `shutdown` does it.
pub fn shutdown(arguments: GuestShutdownArguments) -> Result<Empty, CommandError> {
    let (mode, tool) = choose(arguments.mode.as_deref())?;
    let tool = if power::present(tool) { tool } else { Tool::Shutdown };
    let deed = Deed { lock: "shutdown", targets: targets(mode) };
    power::run(tool, mode).map(|()| Empty {}).map_err(|error| refusal::explained("shutdown", deed, &error))
}

fn targets(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Powerdown => &["poweroff.target", "shutdown.target"],
        Mode::Halt => &["halt.target", "shutdown.target"],
        Mode::Reboot => &["reboot.target", "shutdown.target"],
    }
}

fn choose(mode: Option<&str>) -> Result<(Mode, Tool), CommandError> {
    match mode.unwrap_or("powerdown") {
        "powerdown" => Ok((Mode::Powerdown, Tool::Poweroff)),
        "halt" => Ok((Mode::Halt, Tool::Halt)),
        "reboot" => Ok((Mode::Reboot, Tool::Reboot)),
        // The bracket is never closed in qemu-ga's text, and clients may compare it.
        _ => Err(CommandError::generic("mode is invalid (valid values are: halt|powerdown|reboot")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_is_powerdown_unless_said() {
        assert!(matches!(choose(None), Ok((Mode::Powerdown, Tool::Poweroff))));
        assert!(matches!(choose(Some("reboot")), Ok((Mode::Reboot, Tool::Reboot))));
        let error = choose(Some("explode")).err().map(|error| error.desc);
        assert_eq!(error.as_deref(), Some("mode is invalid (valid values are: halt|powerdown|reboot"));
    }
}
