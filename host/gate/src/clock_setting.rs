//! `clock-setting`: the system's clock, and one program for the hardware's.

use crate::{Capability, Errno, Gate, GateError, ProgramError};
use std::time::Duration;

/// Where the program is that knows the hardware clock.
pub const HWCLOCK: &str = "/sbin/hwclock";

/// How long it may take. It waits for the hardware clock's next full second, and for a slow one some seconds; one that
/// cannot be read makes it wait for ever.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Which clock follows which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The hardware clock is set to the system's time.
    SystemToHardware,
    /// The system's time is set from the hardware clock.
    HardwareToSystem,
}

impl Gate {
    /// Sets the system's clock.
    pub fn set_time(&self, module: &str, time: i64) -> Result<(), GateError<Errno>> {
        self.require(module, Capability::ClockSetting)?;
        Ok(self.system.set_time(time)?)
    }

    /// Has one clock follow the other.
    pub fn hardware_clock(&self, module: &str, direction: Direction) -> Result<(), GateError<ProgramError>> {
        self.require(module, Capability::ClockSetting)?;
        let flag = match direction {
            Direction::SystemToHardware => "-w",
            Direction::HardwareToSystem => "-s",
        };
        Ok(self.run_program(HWCLOCK.as_bytes(), &[flag], Vec::new(), TIME_LIMIT)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_sys::Fake;

    fn gate() -> (Fake, Gate) {
        let system = Fake::default();
        system.install(HWCLOCK, Ok(()));
        (system.clone(), Gate::new(Box::new(system), None))
    }

    #[test]
    fn the_clocks_are_set_by_one_call_and_one_program() {
        let (system, gate) = gate();
        assert_eq!(gate.set_time("time", 1_000), Ok(()));
        assert_eq!(gate.set_time("time", -1), Err(GateError::Failed(Errno::EINVAL)));
        assert_eq!(gate.hardware_clock("time", Direction::SystemToHardware), Ok(()));
        assert_eq!(gate.hardware_clock("time", Direction::HardwareToSystem), Ok(()));
        assert_eq!(system.events(), ["set-time 1000", "set-time -1", "run /sbin/hwclock -w", "run /sbin/hwclock -s"]);
    }

    /// `report` may read the clock, `power` may run programs, a stranger nothing: none of them sets a clock.
    #[test]
    fn without_the_grant_no_clock_is_reached() {
        let (system, gate) = gate();
        for module in ["report", "power", "stranger", ""] {
            assert!(matches!(gate.set_time(module, 0), Err(GateError::Denied { .. })), "{module}");
            for direction in [Direction::SystemToHardware, Direction::HardwareToSystem] {
                let outcome = gate.hardware_clock(module, direction);
                assert!(matches!(outcome, Err(GateError::Denied { .. })), "{module}");
            }
        }
        assert_eq!(system.events(), [""; 0]);
    }
}
