//! `clock-setting`: setting the clocks.

use crate::{Errno, ProgramFailure, Refusal};

/// Which clock follows which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The hardware clock is set to the system's time.
    SystemToHardware,
    /// The system's time is set from the hardware clock.
    HardwareToSystem,
}

interface! {
    /// Setting the clocks; see `wit/clock-setting.wit`.
    ClockSetting {
        /// Sets the system's clock, in nanoseconds since 1970 began in UTC.
        fn set_time(time: i64) -> Result<(), Refusal<Errno>>;

        /// Has hwclock(8) set one clock by the other.
        fn hardware_clock(direction: Direction) -> Result<(), Refusal<ProgramFailure>>;

        /// What the hardware clock shows, in seconds since 1970 began as if it showed UTC.
        fn hardware_time() -> Result<i64, Refusal<Errno>>;

        /// Sets the hardware clock to the system's time and `ahead` seconds more.
        fn set_hardware(ahead: i32) -> Result<(), Refusal<Errno>>;

        /// Sets the system's time to what the hardware clock shows, which is `ahead` seconds ahead of UTC.
        fn set_from_hardware(ahead: i32) -> Result<(), Refusal<Errno>>;
    }
}
