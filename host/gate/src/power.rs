//! `power`: a few programs with fixed arguments.

use crate::{Errno, Gate, GateError, ProgramError};
use bulkhead_catalog::Capability;
use bulkhead_policy::Ask;
use std::time::Duration;

/// How long such a program may take. It only hands the wish to the init system, which takes seconds even on a busy
/// machine; the shutdown itself goes on after it.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// The folder that is there if, and only if, systemd runs the machine; see sd_booted(3).
const SYSTEMD: (&[u8], &[u8]) = (b"/", b"run/systemd/system");

/// What systemctl(1) is told to do it although a program has taken a lock against it (systemd-inhibit(1)). Every version has
/// this short form.
const IGNORE_INHIBITORS: &str = "-i";

/// What systemctl(1) is told to have systemd do it itself, as logind would.
const START: [&str; 2] = ["start", "--job-mode=replace-irreversibly"];

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

    /// What systemctl(1) calls it, and the unit that does it; it need not be waited for.
    fn verb(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Mode::Powerdown => ("poweroff", &["--no-block", "poweroff.target"]),
            Mode::Halt => ("halt", &["--no-block", "halt.target"]),
            Mode::Reboot => ("reboot", &["--no-block", "reboot.target"]),
        }
    }
}

impl Tool {
    /// Where it is, if it is not elsewhere.
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
        self.require::<ProgramError>(module, Capability::Power, &[]).is_ok() && self.find_fixed(tool.path()).is_ok()
    }

    /// Runs it. By systemctl(1) instead, where systemd runs the machine and the policy lets inhibitors be ignored, for the
    /// others have no word for that; and there in place of a `shutdown` that is not there: systemd may come without the old names.
    pub fn run_tool(&self, module: &str, tool: Tool, mode: Mode) -> Result<(), GateError<ProgramError>> {
        let mode = tool.effect(mode);
        let systemctl = || self.find_named("systemctl");
        let run = |path: &[u8], words: &[&str]| Ok(self.run_program(path, words, Vec::new(), TIME_LIMIT)?);
        let ignores = self.require_power(module, mode.word())?;
        if ignores
            && self.is_run_by_systemd()
            && let Ok(path) = systemctl()
        {
            return Ok(self.run_ignoring_inhibitors(&path, mode.verb(), TIME_LIMIT)?);
        }
        match self.find_fixed(tool.path()) {
            Ok(path) => run(&path, tool.arguments(mode)),
            Err(Errno::ENOENT)
                if tool == Tool::Shutdown
                    && self.is_run_by_systemd()
                    && let Ok(path) = systemctl() =>
            {
                run(&path, &[mode.verb().0])
            }
            Err(errno) => Err(GateError::Failed(ProgramError::NotStarted(errno))),
        }
    }

    /// Whether systemd runs the machine.
    pub fn has_systemd(&self, module: &str) -> bool {
        self.require::<Errno>(module, Capability::Power, &[]).is_ok() && self.is_run_by_systemd()
    }

    /// Asks for what `word` calls; whether inhibitors are to be ignored, which is judged with it.
    pub(crate) fn require_power<E: std::error::Error>(&self, module: &str, word: &str) -> Result<bool, GateError<E>> {
        let words = [word];
        let asks = [("modes", Ask::Words(&words)), ("ignore-inhibitors", Ask::Flag(true))];
        let ignores = self.permits(module, Capability::Power, &asks);
        self.require(module, Capability::Power, if ignores { &asks } else { &asks[..1] })?;
        Ok(ignores)
    }

    /// Has systemctl(1) at `path` do it in spite of inhibitors. logind of systemd 257 asks polkit whether root may, and where polkit
    /// is not installed, as in Debian 13's cloud images, that means no: then systemd itself is asked to start the unit. What the
    /// owner has masked it does not start either.
    pub(crate) fn run_ignoring_inhibitors(
        &self,
        path: &[u8],
        (verb, unit): (&str, &[&str]),
        time_limit: Duration,
    ) -> Result<(), ProgramError> {
        let run = |words: &[&str]| self.run_program(path, words, Vec::new(), time_limit);
        match run(&[IGNORE_INHIBITORS, verb]) {
            Err(ProgramError::Exited { .. }) => run(&[START.as_slice(), unit].concat()),
            outcome => outcome,
        }
    }

    fn is_run_by_systemd(&self) -> bool {
        // More names than that are a folder, too.
        matches!(self.system.system_entries(SYSTEMD.0, SYSTEMD.1, 1), Ok(_) | Err(Errno::EOVERFLOW))
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

    /// What a shutdown runs under these lines of a permit, where systemd runs the machine or is only installed.
    fn shut_down(lines: &str, is_systemd: bool) -> Vec<String> {
        let system = Fake::default();
        system.install("/sbin/poweroff", Ok(()));
        system.install("/bin/systemctl", Ok(()));
        if is_systemd {
            system.write_system_file("/run/systemd/system/transient", "");
        }
        let rules = format!(
            "[[permit]]\ncapability = \"power\"\nmodules = [\"power\"]\nmodes = [\"powerdown\"]\nreason = \"x\"\n{lines}"
        );
        let gate = testing::with(&system, &rules);
        assert_eq!(gate.run_tool("power", Tool::Poweroff, Mode::Powerdown), Ok(()));
        assert!(matches!(gate.run_tool("power", Tool::Reboot, Mode::Reboot), Err(GateError::Denied { .. })));
        assert_eq!(gate.has_systemd("power"), is_systemd);
        system.events()
    }

    #[test]
    fn inhibitors_are_ignored_where_the_owner_says_so_and_nowhere_else() {
        const FORBID: &str = "\n[[forbid]]\ncapability = \"power\"\nignore-inhibitors = true\nreason = \"y\"\n";
        assert_eq!(shut_down("ignore-inhibitors = true\n", true), ["run /bin/systemctl -i poweroff"]);
        assert_eq!(shut_down("ignore-inhibitors = true\n", false), ["run /sbin/poweroff"]);
        assert_eq!(shut_down("ignore-inhibitors = false\n", true), ["run /sbin/poweroff"]);
        assert_eq!(shut_down("", true), ["run /sbin/poweroff"]);
        let forbidden = format!("ignore-inhibitors = true\n{FORBID}");
        assert_eq!(shut_down(&forbidden, true), ["run /sbin/poweroff"], "the mode is not forbidden with it");
    }

    #[test]
    fn where_logind_refuses_even_so_systemd_is_asked_itself() {
        let system = Fake::default();
        system.install("/bin/systemctl", Err(ProgramError::Exited { status: 1, output: b"Access denied\n".to_vec() }));
        system.write_system_file("/run/systemd/system/transient", "");
        let rules = "[[permit]]\ncapability = \"power\"\nmodules = [\"power\"]\nmodes = [\"reboot\"]\n\
                     ignore-inhibitors = true\nreason = \"x\"\n";
        let gate = testing::with(&system, rules);
        assert!(gate.run_tool("power", Tool::Reboot, Mode::Reboot).is_err());
        let start = "run /bin/systemctl start --job-mode=replace-irreversibly --no-block reboot.target";
        assert_eq!(system.events(), ["run /bin/systemctl -i reboot", start]);
    }

    #[test]
    fn systemd_without_the_old_names_is_asked_itself() {
        let system = Fake::default();
        let gate = testing::full(&system);
        let none = Err(GateError::Failed(ProgramError::NotStarted(Errno::ENOENT)));
        assert_eq!(gate.run_tool("power", Tool::Shutdown, Mode::Halt), none);
        system.install("/usr/bin/systemctl", Ok(()));
        assert_eq!(gate.run_tool("power", Tool::Shutdown, Mode::Halt), none, "it does not run the machine");
        system.write_system_file("/run/systemd/system/transient", "");
        assert_eq!(gate.run_tool("power", Tool::Shutdown, Mode::Halt), Ok(()));
        assert_eq!(gate.run_tool("power", Tool::Halt, Mode::Halt), none, "only in place of the last way");
        system.install("/nix/bin/shutdown", Ok(()));
        assert_eq!(gate.run_tool("power", Tool::Shutdown, Mode::Powerdown), Ok(()));
        assert_eq!(
            system.events(),
            ["run /usr/bin/systemctl halt", "run /nix/bin/shutdown -h -P +0 hypervisor initiated shutdown"]
        );
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
