//! Setting the clocks, and reading the one that only who sets clocks needs.

use crate::{Rehearsal, System};
use nix::errno::Errno;
use std::time::Duration;

/// Setting the system's clock, and reading and setting the hardware's.
pub trait ClockSetting {
    /// Sets the clock (clock_settime(2)).
    fn set_time(&self, time: i64) -> Result<(), Errno>;

    /// What the hardware clock shows (RTC_RD_TIME of rtc(4)), in seconds since 1970 began as if it showed UTC; `ENOENT` if
    /// there is none.
    fn hardware_time(&self) -> Result<i64, Errno>;

    /// The same in the moment in which it begins a second; `ETIMEDOUT` if that does not come within `patience`.
    fn next_hardware_second(&self, patience: Duration) -> Result<i64, Errno>;

    /// Sets the hardware clock to [`crate::Clock::now`] and `ahead` seconds more (RTC_SET_TIME), in the moment in which that
    /// makes it begin its seconds with the system's: waits for it, for a second at most.
    fn set_hardware_time(&self, ahead: i64) -> Result<(), Errno>;
}

impl<S: System> ClockSetting for Rehearsal<S> {
    fn set_time(&self, _time: i64) -> Result<(), Errno> {
        Ok(())
    }

    fn hardware_time(&self) -> Result<i64, Errno> {
        self.real.hardware_time()
    }

    fn next_hardware_second(&self, _patience: Duration) -> Result<i64, Errno> {
        self.real.hardware_time()
    }

    fn set_hardware_time(&self, _ahead: i64) -> Result<(), Errno> {
        Ok(())
    }
}
