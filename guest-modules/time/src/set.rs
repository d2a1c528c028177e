//! `guest-set-time`: the system's clock and the hardware's, after a pause of the VM that neither has noticed.

use crate::bindings::bulkhead::agent::clock_setting::{self, Direction};
use crate::get::whole_microseconds;
use crate::hardware;
use crate::schema::GuestSetTimeArguments;
use bulkhead_module::{CommandError, Empty, ErrorCode, ProgramError};

/// The seconds of a time that a client may set: from the beginning of 1970 to the end of 2069. What is outside is a
/// slip, such as milliseconds taken for nanoseconds, and a clock that is decades off breaks certificates, timers and
/// file systems of the VM.
const SENSIBLE: std::ops::Range<i64> = 0..3_155_760_000;

/// With a time, sets the system's clock to it and has the hardware clock follow; without, has the system's clock
/// follow the hardware clock. If only the second half of the former fails, the system's clock stays changed.
pub fn set(arguments: GuestSetTimeArguments) -> Result<Empty, CommandError> {
    let direction = match arguments.time {
        Some(time) => {
            clock_setting::set(sensible(time)?).map_err(not_set)?;
            Direction::SystemToHardware
        }
        None => Direction::HardwareToSystem,
    };
    follow(direction).map(|()| Empty {})
}

/// Has one clock follow the other. hwclock(8) comes first: it is what qemu-ga runs, it knows how fast the hardware clock goes
/// wrong, and an owner may have put something in its place. Where it is not there, as in Debian 12 and 13 without
/// util-linux-extra, the kernel is asked; where there is no such clock either, the missing program is the reason.
fn follow(direction: Direction) -> Result<(), CommandError> {
    match clock_setting::hardware_clock(direction) {
        Err(missing @ ProgramError::NotStarted(_)) => match hardware::follow(direction) {
            Err(hardware::Failure::Absent) => Err(not_followed(&missing)),
            Err(hardware::Failure::Told(reason)) => Err(hardware_failed(&reason)),
            Ok(()) => Ok(()),
        },
        outcome => outcome.map_err(|error| not_followed(&error)),
    }
}

/// The time in the steps in which it is set, if it is a sensible one. Cut towards 1970 as in C: the last second before
/// 1970 counts as its first, and then it is the kernel that refuses it.
fn sensible(time: i64) -> Result<i64, CommandError> {
    if SENSIBLE.contains(&(time / 1_000_000_000)) {
        Ok(whole_microseconds(time))
    } else {
        Err(CommandError::generic("Invalid time"))
    }
}

fn not_set(code: ErrorCode) -> CommandError {
    CommandError::generic(format!("Failed to set time to guest: {}", code.text()))
}

/// qemu-ga has one text for both directions.
fn not_followed(error: &ProgramError) -> CommandError {
    CommandError::program("set hardware clock to system time", error)
}

/// The same text: clients match its beginning, and care little whether a child was needed.
fn hardware_failed(reason: &str) -> CommandError {
    CommandError::generic(format!("child process has failed to set hardware clock to system time: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_years_are_sensible() {
        for (time, kept) in [
            (0, 0),
            (1_000_000_000_000_000_001, 1_000_000_000_000_000_000),
            (3_155_759_999_999_999_999, 3_155_759_999_999_999_000),
            (-1, 0),
            (-999_999_999, -999_999_000),
        ] {
            assert_eq!(sensible(time), Ok(kept));
        }
        for time in [-1_000_000_000, 3_155_760_000_000_000_000, i64::MAX, i64::MIN] {
            assert_eq!(sensible(time).map_err(|error| error.desc), Err("Invalid time".to_owned()), "{time}");
        }
    }

    #[test]
    fn failures_have_qemu_gas_words() {
        assert_eq!(not_set(ErrorCode::NotPermitted).desc, "Failed to set time to guest: Operation not permitted");
        assert_eq!(
            not_followed(&ProgramError::Exited((1, "hwclock: no clock\n".to_owned()))).desc,
            "child process has failed to set hardware clock to system time: hwclock: no clock\n"
        );
    }
}
