//! `power`, the other half: putting the machine to sleep.

use crate::{Errno, Gate, GateError, ProgramError};
use bulkhead_catalog::Capability;
use std::time::Duration;

/// How long a tool may take to say whether the machine can sleep. It looks at a unit or a file; some ask the init system,
/// which answers within seconds or not at all.
const ASK_LIMIT: Duration = Duration::from_secs(10);

/// How long it may take to put the machine to sleep. Programs are frozen and, for sleep on disk, memory is written out.
/// The sleep itself does not count: programs are timed by a clock that stands still meanwhile (CLOCK_MONOTONIC).
const RUN_LIMIT: Duration = Duration::from_secs(120);

/// How long the kernel may take for it, falling asleep and waking up: memory is written to a disk, which takes a minute where there
/// is much of it. Who asks is told of the failure then; the kernel goes on.
const KERNEL_LIMIT: Duration = Duration::from_secs(600);

/// How long the kernel's list of sleeps may be, in bytes. It is a page at most, and of the words that there are
/// (`freeze standby mem disk`) it never has more than four.
const WORDS_LIMIT: usize = 4096;

/// How deep the machine sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// Written to disk and switched off.
    Disk,
    /// Memory is kept alive.
    Ram,
    /// Both.
    Hybrid,
}

/// Programs that put a machine to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SleepTool {
    /// systemctl(1)
    Systemd,
    /// pm-is-supported(1), pm-action(8)
    PmUtils,
}

impl Sleep {
    /// The policy's word for it.
    fn word(self) -> &'static str {
        match self {
            Sleep::Disk => "suspend-disk",
            Sleep::Ram => "suspend-ram",
            Sleep::Hybrid => "suspend-hybrid",
        }
    }

    /// The unit of systemd that does it.
    fn unit(self) -> &'static str {
        match self {
            Sleep::Disk => "hibernate.target",
            Sleep::Ram => "suspend.target",
            Sleep::Hybrid => "hybrid-sleep.target",
        }
    }
}

impl SleepTool {
    /// The program, and what it is told, to find out whether the machine can sleep so.
    pub fn ask(self, sleep: Sleep) -> (&'static str, &'static [&'static str]) {
        match (self, sleep) {
            (SleepTool::Systemd, Sleep::Disk) => ("systemctl", &["status", "systemd-hibernate"]),
            (SleepTool::Systemd, Sleep::Ram) => ("systemctl", &["status", "systemd-suspend"]),
            (SleepTool::Systemd, Sleep::Hybrid) => ("systemctl", &["status", "systemd-hybrid-sleep"]),
            (SleepTool::PmUtils, Sleep::Disk) => ("pm-is-supported", &["--hibernate"]),
            (SleepTool::PmUtils, Sleep::Ram) => ("pm-is-supported", &["--suspend"]),
            (SleepTool::PmUtils, Sleep::Hybrid) => ("pm-is-supported", &["--suspend-hybrid"]),
        }
    }

    /// The program, and what it is told, to put the machine to sleep.
    pub fn run(self, sleep: Sleep) -> (&'static str, &'static [&'static str]) {
        match (self, sleep) {
            (SleepTool::Systemd, Sleep::Disk) => ("systemctl", &["hibernate"]),
            (SleepTool::Systemd, Sleep::Ram) => ("systemctl", &["suspend"]),
            (SleepTool::Systemd, Sleep::Hybrid) => ("systemctl", &["hybrid-sleep"]),
            (SleepTool::PmUtils, Sleep::Disk) => ("pm-hibernate", &[]),
            (SleepTool::PmUtils, Sleep::Ram) => ("pm-suspend", &[]),
            (SleepTool::PmUtils, Sleep::Hybrid) => ("pm-suspend-hybrid", &[]),
        }
    }
}

impl Gate {
    /// Has the tool tell whether it can.
    pub fn ask_sleep(&self, module: &str, tool: SleepTool, sleep: Sleep) -> Result<(), GateError<ProgramError>> {
        self.require_power(module, sleep.word())?;
        let (name, arguments) = tool.ask(sleep);
        self.run_sleep_program(name, arguments, ASK_LIMIT)
    }

    /// Has the tool do it, in spite of inhibitors if the policy says so and the tool knows of any.
    pub fn run_sleep(&self, module: &str, tool: SleepTool, sleep: Sleep) -> Result<(), GateError<ProgramError>> {
        let ignores = self.require_power(module, sleep.word())?;
        let (name, arguments) = tool.run(sleep);
        if ignores && tool == SleepTool::Systemd {
            let path = self.find_named(name).map_err(ProgramError::NotStarted)?;
            return Ok(self.run_ignoring_inhibitors(&path, (arguments[0], &[sleep.unit()]), RUN_LIMIT)?);
        }
        self.run_sleep_program(name, arguments, RUN_LIMIT)
    }

    /// The words that the kernel takes in /sys/power/state.
    pub fn kernel_sleeps(&self, module: &str) -> Result<Vec<u8>, GateError<Errno>> {
        self.require(module, Capability::Power, &[])?;
        Ok(self.system.read_system_file(b"/sys", b"power/state", WORDS_LIMIT)?)
    }

    /// Tells the kernel to sleep.
    pub fn kernel_sleep(&self, module: &str, sleep: Sleep) -> Result<(), GateError<Errno>> {
        self.require_power(module, sleep.word())?;
        let word = match sleep {
            Sleep::Disk => "disk",
            Sleep::Ram => "mem",
            Sleep::Hybrid => return Err(GateError::Failed(Errno::EINVAL)),
        };
        Ok(self.system.kernel_sleep(word, KERNEL_LIMIT)?)
    }

    fn run_sleep_program(
        &self,
        name: &str,
        arguments: &[&str],
        time_limit: Duration,
    ) -> Result<(), GateError<ProgramError>> {
        let path = self.find_named(name).map_err(ProgramError::NotStarted)?;
        Ok(self.run_program(&path, arguments, Vec::new(), time_limit)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use bulkhead_sys::Fake;

    #[test]
    fn a_tool_is_asked_and_run_with_the_words_for_the_sleep() {
        let system = Fake::default();
        for path in ["/usr/bin/systemctl", "/bin/pm-is-supported", "/bin/pm-suspend", "/bin/pm-hibernate"] {
            system.install(path, Ok(()));
        }
        let gate = testing::full(&system);
        assert_eq!(gate.ask_sleep("power", SleepTool::Systemd, Sleep::Hybrid), Ok(()));
        assert_eq!(gate.run_sleep("power", SleepTool::Systemd, Sleep::Disk), Ok(()));
        assert_eq!(gate.ask_sleep("power", SleepTool::PmUtils, Sleep::Ram), Ok(()));
        assert_eq!(gate.run_sleep("power", SleepTool::PmUtils, Sleep::Ram), Ok(()));
        assert_eq!(
            gate.run_sleep("power", SleepTool::PmUtils, Sleep::Hybrid),
            Err(GateError::Failed(ProgramError::NotStarted(Errno::ENOENT)))
        );
        assert_eq!(
            system.events(),
            [
                "run /usr/bin/systemctl status systemd-hybrid-sleep",
                "run /usr/bin/systemctl hibernate",
                "run /bin/pm-is-supported --suspend",
                "run /bin/pm-suspend"
            ]
        );
    }

    #[test]
    fn inhibitors_are_ignored_by_the_tool_that_knows_them() {
        let system = Fake::default();
        for path in ["/bin/systemctl", "/bin/pm-suspend"] {
            system.install(path, Ok(()));
        }
        let rules = "[[permit]]\ncapability = \"power\"\nmodules = [\"power\"]\nmodes = [\"suspend-ram\"]\n\
                     ignore-inhibitors = true\nreason = \"x\"\n";
        let gate = testing::with(&system, rules);
        assert_eq!(gate.ask_sleep("power", SleepTool::Systemd, Sleep::Ram), Ok(()));
        for tool in [SleepTool::Systemd, SleepTool::PmUtils] {
            assert_eq!(gate.run_sleep("power", tool, Sleep::Ram), Ok(()));
        }
        assert_eq!(
            system.events(),
            ["run /bin/systemctl status systemd-suspend", "run /bin/systemctl -i suspend", "run /bin/pm-suspend"]
        );
    }

    #[test]
    fn the_kernel_is_told_one_of_two_words() {
        let system = Fake::default();
        system.write_system_file("/sys/power/state", "freeze mem disk\n");
        let gate = testing::full(&system);
        assert_eq!(gate.kernel_sleeps("power"), Ok(b"freeze mem disk\n".to_vec()));
        assert_eq!(gate.kernel_sleep("power", Sleep::Disk), Ok(()));
        assert_eq!(gate.kernel_sleep("power", Sleep::Hybrid), Err(GateError::Failed(Errno::EINVAL)));
        system.refuse_sleep(Errno::EBUSY);
        assert_eq!(gate.kernel_sleep("power", Sleep::Ram), Err(GateError::Failed(Errno::EBUSY)));
        assert_eq!(system.events(), ["sleep disk", "sleep mem"]);
    }

    #[test]
    fn without_the_grant_nothing_sleeps() {
        let system = Fake::default();
        system.install("/bin/systemctl", Ok(()));
        system.write_system_file("/sys/power/state", "mem");
        let gate = testing::full(&system);
        for module in ["exec", "hotplug", "stranger"] {
            let program = |outcome| matches!(outcome, Err(GateError::<ProgramError>::Denied { .. }));
            assert!(program(gate.ask_sleep(module, SleepTool::Systemd, Sleep::Ram)), "{module}");
            assert!(program(gate.run_sleep(module, SleepTool::Systemd, Sleep::Ram)), "{module}");
            assert!(matches!(gate.kernel_sleeps(module), Err(GateError::Denied { .. })), "{module}");
            assert!(matches!(gate.kernel_sleep(module, Sleep::Ram), Err(GateError::Denied { .. })), "{module}");
        }
        assert_eq!(system.events(), [""; 0]);
    }

    #[test]
    fn each_sleep_is_granted_by_its_own_word() {
        let system = Fake::default();
        system.install("/bin/systemctl", Ok(()));
        let rules =
            "[[permit]]\ncapability = \"power\"\nmodules = [\"power\"]\nmodes = [\"suspend-ram\"]\nreason = \"x\"\n";
        let gate = testing::with(&system, rules);
        assert_eq!(gate.ask_sleep("power", SleepTool::Systemd, Sleep::Ram), Ok(()));
        assert_eq!(gate.run_sleep("power", SleepTool::Systemd, Sleep::Ram), Ok(()));
        assert_eq!(gate.kernel_sleep("power", Sleep::Ram), Ok(()));
        for sleep in [Sleep::Disk, Sleep::Hybrid] {
            let program = |outcome| matches!(outcome, Err(GateError::<ProgramError>::Denied { .. }));
            assert!(program(gate.ask_sleep("power", SleepTool::Systemd, sleep)), "{sleep:?}");
            assert!(program(gate.run_sleep("power", SleepTool::Systemd, sleep)), "{sleep:?}");
            assert!(matches!(gate.kernel_sleep("power", sleep), Err(GateError::Denied { .. })), "{sleep:?}");
        }
    }
}
