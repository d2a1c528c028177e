//! `power`: four programs, by fixed paths and with fixed arguments.

use crate::{Capability, Gate, GateError, ProgramError};
use bulkhead_policy::Ask;
use std::time::Duration;

/// How long such a program may take. It only hands the wish to the init system, which takes seconds even on a busy
/// machine; the shutdown itself goes on after it.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// A program that can switch the machine off or over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `/sbin/poweroff`
    Poweroff,
    /// `/sbin/halt`
    Halt,
    /// `/sbin/reboot`
    Reboot,
    /// `/sbin/shutdown`
    Shutdown,
}

/// What shall become of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Off.
    Powerdown,
    /// Stopped but not off.
    Halt,
    /// Started again.
    Reboot,
}

impl Mode {
    /// The policy's word for it.
    fn word(self) -> &'static str {
        match self {
            Mode::Powerdown => "powerdown",
            Mode::Halt => "halt",
            Mode::Reboot => "reboot",
        }
    }
}

impl Tool {
    /// Where it is.
    pub fn path(self) -> &'static str {
        match self {
            Tool::Poweroff => "/sbin/poweroff",
            Tool::Halt => "/sbin/halt",
            Tool::Reboot => "/sbin/reboot",
            Tool::Shutdown => "/sbin/shutdown",
        }
    }

    /// What becomes of the machine if it is run for `mode`: that is what is judged, not what was asked for.
    fn effect(self, mode: Mode) -> Mode {
        match self {
            Tool::Poweroff => Mode::Powerdown,
            Tool::Halt => Mode::Halt,
            Tool::Reboot => Mode::Reboot,
            Tool::Shutdown => mode,
        }
    }

    /// What it is told. The first three say it all by their names.
    fn arguments(self, mode: Mode) -> &'static [&'static str] {
        match (self, mode) {
            (Tool::Poweroff | Tool::Halt | Tool::Reboot, _) => &[],
            (Tool::Shutdown, Mode::Powerdown) => &["-h", "-P", "+0", "hypervisor initiated shutdown"],
            (Tool::Shutdown, Mode::Halt) => &["-h", "-H", "+0", "hypervisor initiated shutdown"],
            (Tool::Shutdown, Mode::Reboot) => &["-h", "-r", "+0", "hypervisor initiated shutdown"],
        }
    }
}

impl Gate {
    /// Whether the tool is there to be run.
    pub fn has_tool(&self, module: &str, tool: Tool) -> bool {
        self.require::<ProgramError>(module, Capability::Power, &[]).is_ok()
            && self.system.is_executable(tool.path().as_bytes())
    }

    /// Runs it.
    pub fn run_tool(&self, module: &str, tool: Tool, mode: Mode) -> Result<(), GateError<ProgramError>> {
        self.require(module, Capability::Power, &[("modes", Ask::Words(&[tool.effect(mode).word()]))])?;
        Ok(self.run_program(tool.path().as_bytes(), tool.arguments(mode), Vec::new(), TIME_LIMIT)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use bulkhead_sys::Fake;

    #[test]
    fn a_tool_is_run_by_its_fixed_path_and_words() {
        let system = Fake::default();
        system.install("/sbin/halt", Ok(()));
        system.install("/sbin/shutdown", Ok(()));
        let gate = testing::full(&system);
        assert!(gate.has_tool("power", Tool::Halt));
        assert!(!gate.has_tool("power", Tool::Reboot));
        assert_eq!(gate.run_tool("power", Tool::Halt, Mode::Halt), Ok(()));
        assert_eq!(gate.run_tool("power", Tool::Shutdown, Mode::Reboot), Ok(()));
        assert_eq!(system.events(), ["run /sbin/halt", "run /sbin/shutdown -h -r +0 hypervisor initiated shutdown"]);
    }

    #[test]
    fn a_stranger_cannot_even_ask_whether_a_tool_is_there() {
        let system = Fake::default();
        system.install("/sbin/halt", Ok(()));
        let gate = testing::full(&system);
        assert!(!gate.has_tool("file", Tool::Halt));
        assert!(matches!(gate.run_tool("file", Tool::Halt, Mode::Halt), Err(GateError::Denied { .. })));
    }

    #[test]
    fn what_becomes_of_the_machine_is_judged_and_not_what_was_asked_for() {
        let system = Fake::default();
        for path in ["/sbin/halt", "/sbin/reboot", "/sbin/shutdown"] {
            system.install(path, Ok(()));
        }
        let rules = "[[permit]]\ncapability = \"power\"\nmodules = [\"power\"]\nmodes = [\"reboot\"]\nreason = \"x\"\n";
        let gate = testing::with(&system, rules);
        assert_eq!(gate.run_tool("power", Tool::Reboot, Mode::Powerdown), Ok(()), "it reboots whatever is said");
        assert_eq!(gate.run_tool("power", Tool::Shutdown, Mode::Reboot), Ok(()));
        for (tool, mode) in [(Tool::Halt, Mode::Reboot), (Tool::Shutdown, Mode::Halt)] {
            assert!(matches!(gate.run_tool("power", tool, mode), Err(GateError::Denied { .. })), "{tool:?}");
        }
        assert_eq!(system.events(), ["run /sbin/reboot", "run /sbin/shutdown -h -r +0 hypervisor initiated shutdown"]);
    }
}
