//! `power`: a few programs with fixed arguments.

use crate::programs::called;
use crate::{Asked, Errno, Gate, Mode, ProgramError, ProgramFailure, Refusal, Sleep, SleepTool, Tool};
use bulkhead_border::Power;
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

impl Power for Asked<'_> {
    fn has_tool(&mut self, tool: Tool) -> bool {
        self.require::<Errno>(Capability::Power, &[]).is_ok() && self.gate.find_fixed(path(tool)).is_ok()
    }

    fn run_tool(&mut self, tool: Tool, mode: Mode) -> Result<(), Refusal<ProgramFailure>> {
        let mode = effect(tool, mode);
        let ignores = self.require_power(word(mode))?;
        Ok(self.gate.run_power_tool(tool, mode, ignores).map_err(called(path(tool)))?)
    }

    fn ask_sleep(&mut self, tool: SleepTool, sleep: Sleep) -> Result<(), Refusal<ProgramFailure>> {
        self.require_sleep(sleep)?;
        Ok(self.gate.ask_sleep_tool(tool, sleep)?)
    }

    fn run_sleep(&mut self, tool: SleepTool, sleep: Sleep) -> Result<(), Refusal<ProgramFailure>> {
        let ignores = self.require_sleep(sleep)?;
        Ok(self.gate.run_sleep_tool(tool, sleep, ignores)?)
    }

    fn has_systemd(&mut self) -> bool {
        self.require::<Errno>(Capability::Power, &[]).is_ok() && self.gate.is_run_by_systemd()
    }

    fn kernel_sleeps(&mut self) -> Result<Vec<u8>, Refusal<Errno>> {
        self.require(Capability::Power, &[])?;
        Ok(self.gate.words_of_sleep()?)
    }

    fn kernel_sleep(&mut self, sleep: Sleep) -> Result<(), Refusal<Errno>> {
        self.require_sleep(sleep)?;
        Ok(self.gate.sleep_by_kernel(sleep)?)
    }
}

impl Asked<'_> {
    /// Asks for what `word` calls; whether inhibitors are to be ignored, which is judged with it.
    pub(crate) fn require_power<E>(&self, word: &str) -> Result<bool, Refusal<E>> {
        let words = [word];
        let asks = [("modes", Ask::Words(&words)), ("ignore-inhibitors", Ask::Flag(true))];
        let ignores = self.gate.permits(self.module, Capability::Power, &asks);
        self.require(Capability::Power, if ignores { &asks } else { &asks[..1] })?;
        Ok(ignores)
    }
}

impl Gate {
    /// Runs the tool. By systemctl(1) instead, where systemd runs the machine and inhibitors are to be ignored, for the others
    /// have no word for that; and there in place of a `shutdown` that is not there: systemd may come without the old names.
    fn run_power_tool(&self, tool: Tool, mode: Mode, ignores: bool) -> Result<(), ProgramError> {
        let systemctl = || self.find_named("systemctl");
        let run = |path: &[u8], words: &[&str]| self.run_program(path, words, Vec::new(), TIME_LIMIT);
        if ignores
            && self.is_run_by_systemd()
            && let Ok(path) = systemctl()
        {
            return self.run_ignoring_inhibitors(&path, verb(mode), TIME_LIMIT);
        }
        match self.find_fixed(path(tool)) {
            Ok(path) => run(&path, arguments(tool, mode)),
            Err(Errno::ENOENT)
                if tool == Tool::Shutdown
                    && self.is_run_by_systemd()
                    && let Ok(path) = systemctl() =>
            {
                run(&path, &[verb(mode).0])
            }
            Err(errno) => Err(ProgramError::NotStarted(errno)),
        }
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

/// Where the tool is, if it is not elsewhere.
fn path(tool: Tool) -> &'static str {
    match tool {
        Tool::Poweroff => "/sbin/poweroff",
        Tool::Halt => "/sbin/halt",
        Tool::Reboot => "/sbin/reboot",
        Tool::Shutdown => "/sbin/shutdown",
    }
}

/// What becomes of the machine if the tool is run for `mode`: that is what is judged, not what was asked for.
fn effect(tool: Tool, mode: Mode) -> Mode {
    match tool {
        Tool::Poweroff => Mode::Powerdown,
        Tool::Halt => Mode::Halt,
        Tool::Reboot => Mode::Reboot,
        Tool::Shutdown => mode,
    }
}

/// What the tool is told. The first three say it all by their names.
fn arguments(tool: Tool, mode: Mode) -> &'static [&'static str] {
    match (tool, mode) {
        (Tool::Poweroff | Tool::Halt | Tool::Reboot, _) => &[],
        (Tool::Shutdown, Mode::Powerdown) => &["-h", "-P", "+0", "hypervisor initiated shutdown"],
        (Tool::Shutdown, Mode::Halt) => &["-h", "-H", "+0", "hypervisor initiated shutdown"],
        (Tool::Shutdown, Mode::Reboot) => &["-h", "-r", "+0", "hypervisor initiated shutdown"],
    }
}

/// The policy's word for it.
fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Powerdown => "powerdown",
        Mode::Halt => "halt",
        Mode::Reboot => "reboot",
    }
}

/// What systemctl(1) calls it, and the unit that does it; it need not be waited for.
fn verb(mode: Mode) -> (&'static str, &'static [&'static str]) {
    match mode {
        Mode::Powerdown => ("poweroff", &["--no-block", "poweroff.target"]),
        Mode::Halt => ("halt", &["--no-block", "halt.target"]),
        Mode::Reboot => ("reboot", &["--no-block", "reboot.target"]),
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
        assert!(gate.asked_by("power").has_tool(Tool::Halt));
        assert!(!gate.asked_by("power").has_tool(Tool::Reboot));
        assert_eq!(gate.asked_by("power").run_tool(Tool::Halt, Mode::Halt), Ok(()));
        assert_eq!(gate.asked_by("power").run_tool(Tool::Shutdown, Mode::Reboot), Ok(()));
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
        assert_eq!(gate.asked_by("power").run_tool(Tool::Poweroff, Mode::Powerdown), Ok(()));
        assert_eq!(gate.asked_by("power").run_tool(Tool::Reboot, Mode::Reboot), Err(Refusal::Denied));
        assert_eq!(gate.asked_by("power").has_systemd(), is_systemd);
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
        assert!(gate.asked_by("power").run_tool(Tool::Reboot, Mode::Reboot).is_err());
        let start = "run /bin/systemctl start --job-mode=replace-irreversibly --no-block reboot.target";
        assert_eq!(system.events(), ["run /bin/systemctl -i reboot", start]);
    }

    #[test]
    fn systemd_without_the_old_names_is_asked_itself() {
        let system = Fake::default();
        let gate = testing::full(&system);
        let mut power = gate.asked_by("power");
        let none = |path| Err(Refusal::Failed(called(path)(ProgramError::NotStarted(Errno::ENOENT))));
        assert_eq!(power.run_tool(Tool::Shutdown, Mode::Halt), none("/sbin/shutdown"));
        system.install("/usr/bin/systemctl", Ok(()));
        assert_eq!(power.run_tool(Tool::Shutdown, Mode::Halt), none("/sbin/shutdown"), "it does not run the machine");
        system.write_system_file("/run/systemd/system/transient", "");
        assert_eq!(power.run_tool(Tool::Shutdown, Mode::Halt), Ok(()));
        assert_eq!(power.run_tool(Tool::Halt, Mode::Halt), none("/sbin/halt"), "only in place of the last way");
        system.install("/nix/bin/shutdown", Ok(()));
        assert_eq!(power.run_tool(Tool::Shutdown, Mode::Powerdown), Ok(()));
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
        assert!(!gate.asked_by("file").has_tool(Tool::Halt));
        assert_eq!(gate.asked_by("file").run_tool(Tool::Halt, Mode::Halt), Err(Refusal::Denied));
    }

    #[test]
    fn what_becomes_of_the_machine_is_judged_and_not_what_was_asked_for() {
        let system = Fake::default();
        for path in ["/sbin/halt", "/sbin/reboot", "/sbin/shutdown"] {
            system.install(path, Ok(()));
        }
        let rules = "[[permit]]\ncapability = \"power\"\nmodules = [\"power\"]\nmodes = [\"reboot\"]\nreason = \"x\"\n";
        let gate = testing::with(&system, rules);
        let mut power = gate.asked_by("power");
        assert_eq!(power.run_tool(Tool::Reboot, Mode::Powerdown), Ok(()), "it reboots whatever is said");
        assert_eq!(power.run_tool(Tool::Shutdown, Mode::Reboot), Ok(()));
        for (tool, mode) in [(Tool::Halt, Mode::Reboot), (Tool::Shutdown, Mode::Halt)] {
            assert_eq!(power.run_tool(tool, mode), Err(Refusal::Denied), "{tool:?}");
        }
        assert_eq!(system.events(), ["run /sbin/reboot", "run /sbin/shutdown -h -r +0 hypervisor initiated shutdown"]);
    }
}
