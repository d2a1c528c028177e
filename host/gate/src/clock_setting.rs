//! `clock-setting`: the system's clock, and the hardware's, by one program or by the kernel.

use crate::{Errno, Gate, GateError, ProgramError};
use bulkhead_catalog::Capability;
use bulkhead_policy::Ask;
use std::time::Duration;

/// Where the program is, if it is not elsewhere, that knows the hardware clock.
pub const HWCLOCK: &str = "/sbin/hwclock";

/// How long it may take. It waits for the hardware clock's next full second, and for a slow one some seconds; one that
/// cannot be read makes it wait for ever.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// How long to wait until the hardware clock begins a second. It takes one; a clock that needs two stands still, and the agent
/// would wait for ever. It costs an honest client nothing.
const SECOND_LIMIT: Duration = Duration::from_secs(2);

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
        let step = Duration::from_nanos(self.system.now().abs_diff(time));
        self.require(module, Capability::ClockSetting, &[("step", Ask::Amount(step))])?;
        Ok(self.system.set_time(time)?)
    }

    /// Has one clock follow the other.
    pub fn hardware_clock(&self, module: &str, direction: Direction) -> Result<(), GateError<ProgramError>> {
        self.require_direction(module, direction)?;
        let flag = match direction {
            Direction::SystemToHardware => "-w",
            Direction::HardwareToSystem => "-s",
        };
        let path = self.find_fixed(HWCLOCK).map_err(ProgramError::NotStarted)?;
        Ok(self.run_program(&path, &[flag], Vec::new(), TIME_LIMIT)?)
    }

    /// What the hardware clock shows.
    pub fn hardware_time(&self, module: &str) -> Result<i64, GateError<Errno>> {
        self.require(module, Capability::ClockSetting, &[])?;
        Ok(self.system.hardware_time()?)
    }

    /// Sets the hardware clock to the system's time and `ahead` seconds more.
    pub fn set_hardware(&self, module: &str, ahead: i32) -> Result<(), GateError<Errno>> {
        self.require_direction(module, Direction::SystemToHardware)?;
        Ok(self.system.set_hardware_time(ahead.into())?)
    }

    /// Sets the system's clock to what the hardware's shows and `ahead` seconds less.
    pub fn set_from_hardware(&self, module: &str, ahead: i32) -> Result<(), GateError<Errno>> {
        self.require_direction(module, Direction::HardwareToSystem)?;
        let shown = self.system.next_hardware_second(SECOND_LIMIT)?;
        let time = shown.checked_sub(ahead.into()).and_then(|seconds| seconds.checked_mul(1_000_000_000));
        Ok(self.system.set_time(time.ok_or(Errno::EOVERFLOW)?)?)
    }

    fn require_direction<E: std::error::Error>(&self, module: &str, direction: Direction) -> Result<(), GateError<E>> {
        let by_hardware = direction == Direction::HardwareToSystem;
        self.require(module, Capability::ClockSetting, &[("hardware", Ask::Flag(by_hardware))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use bulkhead_sys::Fake;

    fn gate() -> (Fake, Gate) {
        let system = Fake::default();
        system.install(HWCLOCK, Ok(()));
        (system.clone(), testing::full(&system))
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

    #[test]
    fn a_hardware_clock_needs_no_program() {
        let (system, gate) = gate();
        assert_eq!(gate.hardware_time("time"), Err(GateError::Failed(Errno::ENOENT)));
        assert_eq!(gate.set_hardware("time", 0), Err(GateError::Failed(Errno::ENOENT)));
        system.set_clock(7_999_999_999);
        system.set_hardware_clock(Ok(3607));
        assert_eq!(gate.hardware_time("time"), Ok(3607));
        assert_eq!(gate.set_hardware("time", 3600), Ok(()));
        assert_eq!(gate.set_from_hardware("time", 3600), Ok(()));
        system.set_hardware_clock(Ok(i64::MAX));
        assert_eq!(gate.set_from_hardware("time", 0), Err(GateError::Failed(Errno::EOVERFLOW)));
        system.set_hardware_clock(Err(Errno::EBUSY));
        assert_eq!(gate.set_from_hardware("time", 0), Err(GateError::Failed(Errno::EBUSY)));
        assert_eq!(system.events(), ["set-hardware-time 3607", "set-time 7000000000"]);
    }

    /// `report` may read the clock, `power` may run programs, a stranger nothing: none of them sets a clock.
    #[test]
    fn without_the_grant_no_clock_is_reached() {
        let (system, gate) = gate();
        system.set_hardware_clock(Ok(0));
        for module in ["report", "power", "stranger", ""] {
            assert!(matches!(gate.set_time(module, 0), Err(GateError::Denied { .. })), "{module}");
            assert!(matches!(gate.hardware_time(module), Err(GateError::Denied { .. })), "{module}");
            assert!(matches!(gate.set_hardware(module, 0), Err(GateError::Denied { .. })), "{module}");
            assert!(matches!(gate.set_from_hardware(module, 0), Err(GateError::Denied { .. })), "{module}");
            for direction in [Direction::SystemToHardware, Direction::HardwareToSystem] {
                let outcome = gate.hardware_clock(module, direction);
                assert!(matches!(outcome, Err(GateError::Denied { .. })), "{module}");
            }
        }
        assert_eq!(system.events(), [""; 0]);
    }

    #[test]
    fn a_step_is_measured_from_the_clock_as_it_is() {
        let (system, _) = gate();
        system.set_clock(100_000_000_000);
        let permit = "[[permit]]\ncapability = \"clock-setting\"\nmodules = [\"time\"]\nreason = \"x\"\n";
        let gate = testing::with(&system, &format!("{permit}step = \"30s\"\n"));
        assert_eq!(gate.set_time("time", 130_000_000_000), Ok(()));
        system.set_clock(100_000_000_000);
        assert_eq!(gate.set_time("time", 70_000_000_000), Ok(()), "back as far as forward");
        system.set_clock(100_000_000_000);
        for wrong in [130_000_000_001, 69_999_999_999, i64::MIN, i64::MAX] {
            assert!(matches!(gate.set_time("time", wrong), Err(GateError::Denied { .. })), "{wrong}");
        }
        let denied = gate.hardware_clock("time", Direction::HardwareToSystem);
        assert!(matches!(denied, Err(GateError::Denied { .. })), "nobody knows how far that is");
        let denied = gate.set_from_hardware("time", 0);
        assert!(matches!(denied, Err(GateError::Denied { .. })), "by no way");
        assert_eq!(gate.hardware_clock("time", Direction::SystemToHardware), Ok(()));
        gate.set_policy(testing::with(&system, &format!("{permit}step = \"0s\"\nhardware = true\n")).policy());
        assert_eq!(gate.hardware_clock("time", Direction::HardwareToSystem), Ok(()));
        assert!(matches!(gate.set_time("time", 100_000_000_001), Err(GateError::Denied { .. })));
    }
}
