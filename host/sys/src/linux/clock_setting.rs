//! Setting the clocks.

mod hardware;

use super::Linux;
use crate::ClockSetting;
use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_settime};
use std::time::Duration;

impl ClockSetting for Linux {
    fn set_time(&self, time: i64) -> Result<(), Errno> {
        clock_settime(ClockId::CLOCK_REALTIME, timespec(time))
    }

    fn hardware_time(&self) -> Result<i64, Errno> {
        hardware::time()
    }

    fn next_hardware_second(&self, patience: Duration) -> Result<i64, Errno> {
        hardware::next_second(patience)
    }

    fn set_hardware_time(&self, ahead: i64) -> Result<(), Errno> {
        hardware::set(ahead)
    }
}

/// The nanoseconds of a timespec count forwards even before 1970; the kernel refuses such a time nevertheless.
fn timespec(time: i64) -> TimeSpec {
    const SECOND: i64 = 1_000_000_000;
    TimeSpec::new(time.div_euclid(SECOND), time.rem_euclid(SECOND))
}

// Setting a clock is tested where there is one to set: in a VM, and in a sandbox whose kernel refuses.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_count_forwards() {
        for (time, seconds, nanoseconds) in [
            (0, 0, 0),
            (1_795_343_121_082_575_000, 1_795_343_121, 82_575_000),
            (-1000, -1, 999_999_000),
            (i64::MIN, -9_223_372_037, 145_224_192),
        ] {
            assert_eq!(timespec(time), TimeSpec::new(seconds, nanoseconds), "{time}");
        }
    }
}
