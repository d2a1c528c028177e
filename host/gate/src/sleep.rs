//! `power`, the other half: putting the machine to sleep.

use crate::programs::called;
use crate::{Asked, Errno, Gate, ProgramError, ProgramFailure, Refusal, Sleep, SleepTool};
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

impl Asked<'_> {
    /// Asks for `sleep`; whether inhibitors are to be ignored.
    pub(crate) fn require_sleep<E>(&self, sleep: Sleep) -> Result<bool, Refusal<E>> {
        self.require_power(match sleep {
            Sleep::Disk => "suspend-disk",
            Sleep::Ram => "suspend-ram",
            Sleep::Hybrid => "suspend-hybrid",
        })
    }
}

impl Gate {
    /// Has the tool tell whether it can.
    pub(crate) fn ask_sleep_tool(&self, tool: SleepTool, sleep: Sleep) -> Result<(), ProgramFailure> {
        let (name, arguments) = asking(tool, sleep);
        self.run_named(name, arguments, ASK_LIMIT).map_err(called(name))
    }

    /// Has the tool do it, in spite of inhibitors if they are to be ignored and the tool knows of any.
    pub(crate) fn run_sleep_tool(&self, tool: SleepTool, sleep: Sleep, ignores: bool) -> Result<(), ProgramFailure> {
        let (name, arguments) = running(tool, sleep);
        let ran = if ignores && tool == SleepTool::Systemd {
            let path = self.find_named(name).map_err(ProgramError::NotStarted);
            path.and_then(|path| self.run_ignoring_inhibitors(&path, (arguments[0], &[unit(sleep)]), RUN_LIMIT))
        } else {
            self.run_named(name, arguments, RUN_LIMIT)
        };
        ran.map_err(called(name))
    }

    fn run_named(&self, name: &str, arguments: &[&str], time_limit: Duration) -> Result<(), ProgramError> {
        let path = self.find_named(name).map_err(ProgramError::NotStarted)?;
        self.run_program(&path, arguments, Vec::new(), time_limit)
    }

    /// The words that the kernel takes in /sys/power/state.
    pub(crate) fn words_of_sleep(&self) -> Result<Vec<u8>, Errno> {
        self.system.read_system_file(b"/sys", b"power/state", WORDS_LIMIT)
    }

    /// Tells the kernel to sleep.
    pub(crate) fn sleep_by_kernel(&self, sleep: Sleep) -> Result<(), Errno> {
        let word = match sleep {
            Sleep::Disk => "disk",
            Sleep::Ram => "mem",
            Sleep::Hybrid => return Err(Errno::EINVAL),
        };
        self.system.kernel_sleep(word, KERNEL_LIMIT)
    }
}

/// The program, and what it is told, to find out whether the machine can sleep so.
fn asking(tool: SleepTool, sleep: Sleep) -> (&'static str, &'static [&'static str]) {
    match (tool, sleep) {
        (SleepTool::Systemd, Sleep::Disk) => ("systemctl", &["status", "systemd-hibernate"]),
        (SleepTool::Systemd, Sleep::Ram) => ("systemctl", &["status", "systemd-suspend"]),
        (SleepTool::Systemd, Sleep::Hybrid) => ("systemctl", &["status", "systemd-hybrid-sleep"]),
        (SleepTool::PmUtils, Sleep::Disk) => ("pm-is-supported", &["--hibernate"]),
        (SleepTool::PmUtils, Sleep::Ram) => ("pm-is-supported", &["--suspend"]),
        (SleepTool::PmUtils, Sleep::Hybrid) => ("pm-is-supported", &["--suspend-hybrid"]),
    }
}

/// The program, and what it is told, to put the machine to sleep.
fn running(tool: SleepTool, sleep: Sleep) -> (&'static str, &'static [&'static str]) {
    match (tool, sleep) {
        (SleepTool::Systemd, Sleep::Disk) => ("systemctl", &["hibernate"]),
        (SleepTool::Systemd, Sleep::Ram) => ("systemctl", &["suspend"]),
        (SleepTool::Systemd, Sleep::Hybrid) => ("systemctl", &["hybrid-sleep"]),
        (SleepTool::PmUtils, Sleep::Disk) => ("pm-hibernate", &[]),
        (SleepTool::PmUtils, Sleep::Ram) => ("pm-suspend", &[]),
        (SleepTool::PmUtils, Sleep::Hybrid) => ("pm-suspend-hybrid", &[]),
    }
}

/// The unit of systemd that does it.
fn unit(sleep: Sleep) -> &'static str {
    match sleep {
        Sleep::Disk => "hibernate.target",
        Sleep::Ram => "suspend.target",
        Sleep::Hybrid => "hybrid-sleep.target",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use bulkhead_border::Power;
    use bulkhead_sys::Fake;

    #[test]
    fn a_tool_is_asked_and_run_with_the_words_for_the_sleep() {
        let system = Fake::default();
        for path in ["/usr/bin/systemctl", "/bin/pm-is-supported", "/bin/pm-suspend", "/bin/pm-hibernate"] {
            system.install(path, Ok(()));
        }
        let gate = testing::full(&system);
        let mut power = gate.asked_by("power");
        assert_eq!(power.ask_sleep(SleepTool::Systemd, Sleep::Hybrid), Ok(()));
        assert_eq!(power.run_sleep(SleepTool::Systemd, Sleep::Disk), Ok(()));
        assert_eq!(power.ask_sleep(SleepTool::PmUtils, Sleep::Ram), Ok(()));
        assert_eq!(power.run_sleep(SleepTool::PmUtils, Sleep::Ram), Ok(()));
        assert_eq!(
            power.run_sleep(SleepTool::PmUtils, Sleep::Hybrid),
            Err(Refusal::Failed(called("pm-suspend-hybrid")(ProgramError::NotStarted(Errno::ENOENT))))
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
        assert_eq!(gate.asked_by("power").ask_sleep(SleepTool::Systemd, Sleep::Ram), Ok(()));
        for tool in [SleepTool::Systemd, SleepTool::PmUtils] {
            assert_eq!(gate.asked_by("power").run_sleep(tool, Sleep::Ram), Ok(()));
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
        let mut power = gate.asked_by("power");
        assert_eq!(power.kernel_sleeps(), Ok(b"freeze mem disk\n".to_vec()));
        assert_eq!(power.kernel_sleep(Sleep::Disk), Ok(()));
        assert_eq!(power.kernel_sleep(Sleep::Hybrid), Err(Refusal::Failed(Errno::EINVAL)));
        system.refuse_sleep(Errno::EBUSY);
        assert_eq!(power.kernel_sleep(Sleep::Ram), Err(Refusal::Failed(Errno::EBUSY)));
        assert_eq!(system.events(), ["sleep disk", "sleep mem"]);
    }

    #[test]
    fn without_the_grant_nothing_sleeps() {
        let system = Fake::default();
        system.install("/bin/systemctl", Ok(()));
        system.write_system_file("/sys/power/state", "mem");
        let gate = testing::full(&system);
        for module in ["exec", "hotplug", "stranger"] {
            let mut asked = gate.asked_by(module);
            assert_eq!(asked.ask_sleep(SleepTool::Systemd, Sleep::Ram), Err(Refusal::Denied), "{module}");
            assert_eq!(asked.run_sleep(SleepTool::Systemd, Sleep::Ram), Err(Refusal::Denied), "{module}");
            assert_eq!(asked.kernel_sleeps(), Err(Refusal::Denied), "{module}");
            assert_eq!(asked.kernel_sleep(Sleep::Ram), Err(Refusal::Denied), "{module}");
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
        let mut power = gate.asked_by("power");
        assert_eq!(power.ask_sleep(SleepTool::Systemd, Sleep::Ram), Ok(()));
        assert_eq!(power.run_sleep(SleepTool::Systemd, Sleep::Ram), Ok(()));
        assert_eq!(power.kernel_sleep(Sleep::Ram), Ok(()));
        for sleep in [Sleep::Disk, Sleep::Hybrid] {
            assert_eq!(power.ask_sleep(SleepTool::Systemd, sleep), Err(Refusal::Denied), "{sleep:?}");
            assert_eq!(power.run_sleep(SleepTool::Systemd, sleep), Err(Refusal::Denied), "{sleep:?}");
            assert_eq!(power.kernel_sleep(sleep), Err(Refusal::Denied), "{sleep:?}");
        }
    }
}
