//! `guest-suspend-disk`, `-ram` and `-hybrid`. Success is not answered: the VM is asleep.

use crate::bindings::bulkhead::agent::power::{self, Sleep, SleepTool};
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

/// Systemd knows best what must be told before a sleep; the kernel alone tells nobody.
fn suspend(sleep: Sleep) -> Result<Empty, CommandError> {
    first_that_works([&|| by_tool(SleepTool::Systemd, sleep), &|| by_tool(SleepTool::PmUtils, sleep), &|| {
        by_kernel(sleep)
    }])
}

/// What came of one way to sleep.
#[derive(Debug)]
enum Attempt {
    /// The VM has not got it.
    Unsupported,
    /// It has failed, and another may do.
    Failed(CommandError),
    /// It was given up, and may be at it still: two ways at once would put the VM to sleep again as soon as it wakes.
    GivenUp(CommandError),
    /// The VM has slept, or is about to.
    Done,
}

/// Tries one way after the other. If all fail, the last one's reason is the client's.
fn first_that_works(ways: [&dyn Fn() -> Attempt; 3]) -> Result<Empty, CommandError> {
    let mut failure = CommandError::generic("the requested suspend mode is not supported by the guest");
    for way in ways {
        match way() {
            Attempt::Unsupported => {}
            Attempt::Failed(error) => failure = error,
            Attempt::GivenUp(error) => return Err(error),
            Attempt::Done => return Ok(Empty {}),
        }
    }
    Err(failure)
}

fn by_tool(tool: SleepTool, sleep: Sleep) -> Attempt {
    if is_supported(tool, &power::ask_sleep(tool, sleep)) {
        attempt(power::run_sleep(tool, sleep))
    } else {
        Attempt::Unsupported
    }
}

/// What the tool's answer means. `systemctl status` tells of the service that puts the VM to sleep: 1 to 3 say that it
/// is there and does not run, 4 that it is not there. With 0 it runs: the VM is on its way to sleep already.
fn is_supported(tool: SleepTool, answer: &Result<(), ProgramError>) -> bool {
    match tool {
        SleepTool::Systemd => matches!(answer, Err(ProgramError::Exited((1..=3, _)))),
        SleepTool::PmUtils => answer.is_ok(),
    }
}

fn attempt(outcome: Result<(), ProgramError>) -> Attempt {
    match outcome {
        Ok(()) => Attempt::Done,
        Err(error @ ProgramError::TimedOut) => Attempt::GivenUp(CommandError::program("suspend", &error)),
        Err(error) => Attempt::Failed(CommandError::program("suspend", &error)),
    }
}

fn by_kernel(sleep: Sleep) -> Attempt {
    let word: &[u8] = match sleep {
        Sleep::Disk => b"disk",
        Sleep::Ram => b"mem",
        // The kernel would need another file changed first, and changed back when the VM is awake: the tools do that.
        Sleep::Hybrid => return Attempt::Unsupported,
    };
    match power::kernel_sleeps() {
        Ok(words) if has_word(&words, word) => written(power::kernel_sleep(sleep)),
        _ => Attempt::Unsupported,
    }
}

fn has_word(words: &[u8], word: &[u8]) -> bool {
    words.split(u8::is_ascii_whitespace).any(|found| found == word)
}

/// qemu-ga writes the file in a child process, and clients may know its words.
fn written(outcome: Result<(), ErrorCode>) -> Attempt {
    match outcome {
        Ok(()) => Attempt::Done,
        Err(code) => Attempt::Failed(CommandError::generic(format!(
            "child process has failed to suspend: failed to write '/sys/power/state': {}",
            code.text()
        ))),
    }
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
        for (status, supported) in [(1, true), (2, true), (3, true), (4, false), (5, false), (127, false), (255, false)]
        {
            assert_eq!(is_supported(SleepTool::Systemd, &exited(status)), supported, "{status}");
        }
        let not_there = Err(ProgramError::NotStarted(("systemctl".to_owned(), ErrorCode::NoEntry)));
        for answer in [Ok(()), not_there, Err(ProgramError::TimedOut), Err(ProgramError::Denied)] {
            assert!(!is_supported(SleepTool::Systemd, &answer), "{answer:?}");
        }
        assert!(is_supported(SleepTool::PmUtils, &Ok(())));
        assert!(!is_supported(SleepTool::PmUtils, &exited(1)));
    }

    #[test]
    fn the_kernels_words_are_whole_words() {
        assert!(has_word(b"freeze mem disk\n", b"mem"));
        assert!(has_word(b"disk", b"disk"));
        for words in ["", "\n", "freeze standby\n", "membrane memdisk\n"] {
            assert!(!has_word(words.as_bytes(), b"mem"), "{words}");
        }
    }

    /// Tries ways that are said to come out as given, and tells how many were tried and what the client would see.
    fn try_ways(outcomes: [Attempt; 3]) -> (usize, Result<(), String>) {
        let left = RefCell::new(outcomes.into_iter().collect::<std::collections::VecDeque<_>>());
        let way = || left.borrow_mut().pop_front().expect("no way is tried twice");
        let outcome = first_that_works([&way, &way, &way]);
        (3 - left.borrow().len(), outcome.map(|_| ()).map_err(|error| error.desc))
    }

    #[test]
    fn the_first_way_that_works_is_the_last_that_is_tried() {
        let failed = |what: &str| Attempt::Failed(CommandError::generic(what));
        assert_eq!(try_ways([Attempt::Done, Attempt::Done, Attempt::Done]), (1, Ok(())));
        assert_eq!(try_ways([failed("a"), Attempt::Unsupported, Attempt::Done]), (3, Ok(())));
        assert_eq!(try_ways([failed("a"), failed("b"), Attempt::Unsupported]), (3, Err("b".to_owned())));
        assert_eq!(
            try_ways([Attempt::Unsupported, Attempt::Unsupported, Attempt::Unsupported]),
            (3, Err("the requested suspend mode is not supported by the guest".to_owned()))
        );
    }

    #[test]
    fn a_way_that_may_be_at_it_still_is_the_last_that_is_tried() {
        let (tried, outcome) = try_ways([attempt(Err(ProgramError::TimedOut)), Attempt::Done, Attempt::Done]);
        assert_eq!(tried, 1);
        let error = "child process has failed to suspend: it did not end in time and was killed".to_owned();
        assert_eq!(outcome, Err(error));
    }

    #[test]
    fn a_failure_shows_what_the_tool_printed_or_the_kernel_said() {
        let desc = |attempt| match attempt {
            Attempt::Failed(error) => error.desc,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            desc(attempt(Err(ProgramError::Exited((1, "Call to Suspend failed\n".to_owned()))))),
            "child process has failed to suspend: Call to Suspend failed\n"
        );
        assert_eq!(
            desc(written(Err(ErrorCode::Busy))),
            "child process has failed to suspend: failed to write '/sys/power/state': Device or resource busy"
        );
    }
}
