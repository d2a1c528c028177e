//! `guest-suspend-disk`, `-ram` and `-hybrid`. Success is not answered: the VM is asleep.

use crate::bindings::bulkhead::agent::power::{self, Sleep, SleepTool};
use crate::refusal::{self, Deed};
use crate::schema::{GuestSuspendDiskArguments, GuestSuspendHybridArguments, GuestSuspendRamArguments};
use bulkhead_module::{CommandError, Empty, ErrorCode, ProgramError};

/// Writes memory to disk and switches the VM off.
pub fn disk(_: GuestSuspendDiskArguments) -> Result<Empty, CommandError> {
    suspend(Sleep::Disk)
}

/// Stops everything but memory.
pub fn ram(_: GuestSuspendRamArguments) -> Result<Empty, CommandError> {
    suspend(Sleep::Ram)
}

/// Both, in case memory is lost meanwhile.
pub fn hybrid(_: GuestSuspendHybridArguments) -> Result<Empty, CommandError> {
    suspend(Sleep::Hybrid)
}

/// Systemd knows best what must be told before a sleep; the kernel alone tells nobody. So a tool that is in charge has the
/// last word: what it refuses (the owner has masked the target or forbidden the sleep, a program has taken a lock against it)
/// is not done behind its back. qemu-ga would go on to the next way.
fn suspend(sleep: Sleep) -> Result<Empty, CommandError> {
    first_in_charge(&Vm { sleep, systemd_runs: power::systemd_runs() })
}

/// The ways to sleep.
trait Ways {
    /// What a tool says to the question whether the VM can sleep.
    fn ask(&self, tool: SleepTool) -> Answer;
    /// Has it do it.
    fn run(&self, tool: SleepTool) -> Result<(), ProgramError>;
    /// Has the kernel do it, if it can and nobody else is in charge.
    fn kernel(&self) -> Option<Result<(), ErrorCode>>;
    /// What the client is told of a tool's failure.
    fn explain(&self, error: &ProgramError) -> CommandError;
}

/// Those of this VM.
struct Vm {
    sleep: Sleep,
    systemd_runs: bool,
}

/// What a tool's answer to the question whether the VM can sleep means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// It is not installed.
    Absent,
    /// It is not in charge, or knows no such sleep. Where another tool may be in charge, that one is asked.
    No,
    /// It can, but is perhaps not in charge: when it fails, the next way is tried.
    Perhaps,
    /// It can, and is in charge.
    Yes,
    /// The owner's policy does not let it be asked, nor any other way.
    Denied,
}

/// Tries the tools in their order, then the kernel if nobody is in charge.
fn first_in_charge(ways: &impl Ways) -> Result<Empty, CommandError> {
    let mut failure = CommandError::generic("the requested suspend mode is not supported by the guest");
    for tool in [SleepTool::Systemd, SleepTool::PmUtils] {
        match (ways.ask(tool), tool) {
            (Answer::Denied, _) => return Err(CommandError::program("suspend", &ProgramError::Denied)),
            // Whoever has installed pm-utils has it decide; a systemctl without systemd decides nothing.
            (Answer::No, SleepTool::PmUtils) => return Err(failure),
            (Answer::Absent | Answer::No, _) => {}
            (answer @ (Answer::Perhaps | Answer::Yes), _) => match ways.run(tool) {
                Ok(()) => return Ok(Empty {}),
                // One that was given up may be at it still: two ways at once would put the VM to sleep again as soon as it wakes.
                Err(error) if answer == Answer::Perhaps && error != ProgramError::TimedOut => {
                    failure = ways.explain(&error);
                }
                Err(error) => return Err(ways.explain(&error)),
            },
        }
    }
    match ways.kernel() {
        Some(Ok(())) => Ok(Empty {}),
        Some(Err(code)) => Err(not_written(code)),
        None => Err(failure),
    }
}

/// What the tool's answer means. `systemctl status` tells of the service that puts the VM to sleep: 1 to 3 say that it
/// is there and does not run, 4 that it is not there. With 0 it runs: the VM is on its way to sleep already. Where systemd does
/// not run the VM, the status is 1 too, and means nothing.
fn understood(tool: SleepTool, answer: &Result<(), ProgramError>, systemd_runs: bool) -> Answer {
    match (tool, answer) {
        (_, Err(ProgramError::Denied)) => Answer::Denied,
        (_, Err(ProgramError::NotStarted(_))) => Answer::Absent,
        (SleepTool::Systemd, Err(ProgramError::Exited((1, _)))) if !systemd_runs => Answer::Perhaps,
        (SleepTool::Systemd, Err(ProgramError::Exited((1..=3, _)))) | (SleepTool::PmUtils, Ok(())) => Answer::Yes,
        _ => Answer::No,
    }
}

impl Ways for Vm {
    fn ask(&self, tool: SleepTool) -> Answer {
        understood(tool, &power::ask_sleep(tool, self.sleep), self.systemd_runs)
    }

    fn run(&self, tool: SleepTool) -> Result<(), ProgramError> {
        power::run_sleep(tool, self.sleep)
    }

    fn kernel(&self) -> Option<Result<(), ErrorCode>> {
        let word: &[u8] = match self.sleep {
            Sleep::Disk => b"disk",
            Sleep::Ram => b"mem",
            // The kernel would need another file changed first, and changed back when the VM is awake: the tools do that.
            Sleep::Hybrid => return None,
        };
        let can = !self.systemd_runs && power::kernel_sleeps().is_ok_and(|words| has_word(&words, word));
        can.then(|| power::kernel_sleep(self.sleep))
    }

    fn explain(&self, error: &ProgramError) -> CommandError {
        let targets: &[&str] = match self.sleep {
            Sleep::Disk => &["hibernate.target", "sleep.target"],
            Sleep::Ram => &["suspend.target", "sleep.target"],
            Sleep::Hybrid => &["hybrid-sleep.target", "sleep.target"],
        };
        refusal::explained("suspend", Deed { lock: "sleep", targets }, error)
    }
}

fn has_word(words: &[u8], word: &[u8]) -> bool {
    words.split(u8::is_ascii_whitespace).any(|found| found == word)
}

/// qemu-ga writes the file in a child process, and clients may know its words.
fn not_written(code: ErrorCode) -> CommandError {
    let reason = code.text();
    CommandError::generic(format!("child process has failed to suspend: failed to write '/sys/power/state': {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn exited(status: i32) -> Result<(), ProgramError> {
        Err(ProgramError::Exited((status, String::new())))
    }

    #[test]
    fn the_service_must_be_there_and_not_run() {
        for (status, answer) in [
            (1, Answer::Yes),
            (2, Answer::Yes),
            (3, Answer::Yes),
            (4, Answer::No),
            (5, Answer::No),
            (127, Answer::No),
            (255, Answer::No),
        ] {
            assert_eq!(understood(SleepTool::Systemd, &exited(status), true), answer, "{status}");
        }
        assert_eq!(understood(SleepTool::Systemd, &exited(3), false), Answer::Yes, "it knows its service");
        assert_eq!(
            understood(SleepTool::Systemd, &exited(1), false),
            Answer::Perhaps,
            "that is what it says without systemd"
        );
        let absent = Err(ProgramError::NotStarted(("systemctl".to_owned(), ErrorCode::NoEntry)));
        for (said, answer) in [
            (Ok(()), Answer::No),
            (absent, Answer::Absent),
            (Err(ProgramError::TimedOut), Answer::No),
            (Err(ProgramError::Denied), Answer::Denied),
        ] {
            assert_eq!(understood(SleepTool::Systemd, &said, true), answer, "{said:?}");
        }
        assert_eq!(understood(SleepTool::PmUtils, &Ok(()), false), Answer::Yes);
        assert_eq!(understood(SleepTool::PmUtils, &exited(1), false), Answer::No);
    }

    #[test]
    fn the_kernels_words_are_whole_words() {
        assert!(has_word(b"freeze mem disk\n", b"mem"));
        assert!(has_word(b"disk", b"disk"));
        for words in ["", "\n", "freeze standby\n", "membrane memdisk\n"] {
            assert!(!has_word(words.as_bytes(), b"mem"), "{words}");
        }
    }

    /// Ways that come out as given; what was done is noted.
    struct Pretended {
        systemd: (Answer, Result<(), ProgramError>),
        pm_utils: (Answer, Result<(), ProgramError>),
        kernel: Option<Result<(), ErrorCode>>,
        done: RefCell<Vec<&'static str>>,
    }

    impl Ways for Pretended {
        fn ask(&self, tool: SleepTool) -> Answer {
            if tool == SleepTool::Systemd { self.systemd.0 } else { self.pm_utils.0 }
        }

        fn run(&self, tool: SleepTool) -> Result<(), ProgramError> {
            let (name, (_, outcome)) =
                if tool == SleepTool::Systemd { ("systemd", &self.systemd) } else { ("pm-utils", &self.pm_utils) };
            self.done.borrow_mut().push(name);
            outcome.clone()
        }

        fn kernel(&self) -> Option<Result<(), ErrorCode>> {
            self.done.borrow_mut().push("kernel");
            self.kernel
        }

        fn explain(&self, error: &ProgramError) -> CommandError {
            CommandError::program("suspend", error)
        }
    }

    /// What was done, in order, and what the client would see.
    fn try_ways(
        systemd: (Answer, Result<(), ProgramError>),
        pm_utils: (Answer, Result<(), ProgramError>),
        kernel: Option<Result<(), ErrorCode>>,
    ) -> (Vec<&'static str>, String) {
        let ways = Pretended { systemd, pm_utils, kernel, done: RefCell::default() };
        let seen = first_in_charge(&ways).map_or_else(|error| error.desc, |_| "asleep".to_owned());
        (ways.done.into_inner(), seen.replace("child process has failed to suspend: ", ""))
    }

    #[test]
    fn whoever_is_in_charge_has_the_last_word() {
        use Answer::{Absent, No, Perhaps, Yes};
        let works = || Ok(());
        let told = |status| (exited(status), format!("exit status {status}"));
        let (fails, reason) = told(1);
        let kernel = Some(Ok(()));
        let asleep = || "asleep".to_owned();
        let unsupported = "the requested suspend mode is not supported by the guest".to_owned();
        for (systemd, pm_utils, done, seen) in [
            ((Yes, works()), (Yes, works()), vec!["systemd"], asleep()),
            ((Yes, fails.clone()), (Yes, works()), vec!["systemd"], reason.clone()),
            ((Perhaps, fails.clone()), (Yes, works()), vec!["systemd", "pm-utils"], asleep()),
            ((Perhaps, fails.clone()), (Absent, works()), vec!["systemd", "kernel"], asleep()),
            ((Perhaps, works()), (Yes, works()), vec!["systemd"], asleep()),
            ((No, works()), (Yes, fails.clone()), vec!["pm-utils"], reason.clone()),
            ((Absent, works()), (No, works()), vec![], unsupported.clone()),
            ((Perhaps, fails.clone()), (No, works()), vec!["systemd"], reason.clone()),
            ((No, works()), (Absent, works()), vec!["kernel"], asleep()),
        ] {
            let shown = format!("{systemd:?} {pm_utils:?}");
            assert_eq!(try_ways(systemd, pm_utils, kernel), (done.clone(), seen), "{shown}");
        }
        assert_eq!(try_ways((Absent, works()), (Absent, works()), None), (vec!["kernel"], unsupported));
        let refusal = "failed to write '/sys/power/state': Device or resource busy".to_owned();
        let refuses = Some(Err(ErrorCode::Busy));
        assert_eq!(try_ways((Absent, works()), (Absent, works()), refuses), (vec!["kernel"], refusal));
    }

    #[test]
    fn a_way_that_may_be_at_it_still_is_the_last_that_is_tried() {
        let late = (Answer::Perhaps, Err(ProgramError::TimedOut));
        let error = "it did not end in time and was killed".to_owned();
        assert_eq!(try_ways(late, (Answer::Yes, Ok(())), Some(Ok(()))), (vec!["systemd"], error));
    }

    #[test]
    fn what_the_owners_policy_denies_is_denied_by_every_way() {
        let denied = (Answer::Denied, Ok(()));
        let error = "denied by the owner's policy".to_owned();
        assert_eq!(try_ways(denied, (Answer::Yes, Ok(())), Some(Ok(()))), (vec![], error));
    }
}
