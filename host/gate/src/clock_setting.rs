//! `clock-setting`: the system's clock, and the hardware's, by one program or by the kernel.

use crate::programs::called;
use crate::{Asked, Direction, Errno, ProgramError, ProgramFailure, Refusal};
use bulkhead_border::ClockSetting;
use bulkhead_catalog::Capability;
use bulkhead_policy::Ask;
use std::time::Duration;

/// Where the program is, if it is not elsewhere, that knows the hardware clock.
const HWCLOCK: &str = "/sbin/hwclock";

/// How long it may take. It waits for the hardware clock's next full second, and for a slow one some seconds; one that
/// cannot be read makes it wait for ever.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// How long to wait until the hardware clock begins a second. It takes one; a clock that needs two stands still, and the agent
/// would wait for ever. It costs an honest client nothing.
const SECOND_LIMIT: Duration = Duration::from_secs(2);

impl ClockSetting for Asked<'_> {
    fn set_time(&mut self, time: i64) -> Result<(), Refusal<Errno>> {
        let step = Duration::from_nanos(self.gate.system.now().abs_diff(time));
        self.require(Capability::ClockSetting, &[("step", Ask::Amount(step))])?;
        Ok(self.gate.system.set_time(time)?)
    }

    fn hardware_clock(&mut self, direction: Direction) -> Result<(), Refusal<ProgramFailure>> {
        self.require_direction(direction)?;
        let flag = match direction {
            Direction::SystemToHardware => "-w",
            Direction::HardwareToSystem => "-s",
        };
        let path = self.gate.find_fixed(HWCLOCK).map_err(ProgramError::NotStarted);
        let ran = path.and_then(|path| self.gate.run_program(&path, &[flag], Vec::new(), TIME_LIMIT));
        Ok(ran.map_err(called(HWCLOCK))?)
    }

    fn hardware_time(&mut self) -> Result<i64, Refusal<Errno>> {
        self.require(Capability::ClockSetting, &[])?;
        Ok(self.gate.system.hardware_time()?)
    }

    fn set_hardware(&mut self, ahead: i32) -> Result<(), Refusal<Errno>> {
        self.require_direction(Direction::SystemToHardware)?;
        Ok(self.gate.system.set_hardware_time(ahead.into())?)
    }

    fn set_from_hardware(&mut self, ahead: i32) -> Result<(), Refusal<Errno>> {
        self.require_direction(Direction::HardwareToSystem)?;
        let shown = self.gate.system.next_hardware_second(SECOND_LIMIT)?;
        let time = shown.checked_sub(ahead.into()).and_then(|seconds| seconds.checked_mul(1_000_000_000));
        Ok(self.gate.system.set_time(time.ok_or(Errno::EOVERFLOW)?)?)
    }
}

impl Asked<'_> {
    fn require_direction<E>(&self, direction: Direction) -> Result<(), Refusal<E>> {
        let by_hardware = direction == Direction::HardwareToSystem;
        self.require(Capability::ClockSetting, &[("hardware", Ask::Flag(by_hardware))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gate, testing};
    use bulkhead_sys::Fake;

    fn gate() -> (Fake, Gate) {
        let system = Fake::default();
        system.install(HWCLOCK, Ok(()));
        (system.clone(), testing::full(&system))
    }

    #[test]
    fn the_clocks_are_set_by_one_call_and_one_program() {
        let (system, gate) = gate();
        let mut time = gate.asked_by("time");
        assert_eq!(time.set_time(1_000), Ok(()));
        assert_eq!(time.set_time(-1), Err(Refusal::Failed(Errno::EINVAL)));
        assert_eq!(time.hardware_clock(Direction::SystemToHardware), Ok(()));
        assert_eq!(time.hardware_clock(Direction::HardwareToSystem), Ok(()));
        assert_eq!(system.events(), ["set-time 1000", "set-time -1", "run /sbin/hwclock -w", "run /sbin/hwclock -s"]);
    }

    #[test]
    fn a_program_that_is_nowhere_is_told_by_its_usual_place() {
        let gate = testing::full(&Fake::default());
        let why = ProgramError::NotStarted(Errno::ENOENT);
        let failure = ProgramFailure { program: "/sbin/hwclock".to_owned(), why };
        let outcome = gate.asked_by("time").hardware_clock(Direction::SystemToHardware);
        assert_eq!(outcome, Err(Refusal::Failed(failure)));
    }

    #[test]
    fn a_hardware_clock_needs_no_program() {
        let (system, gate) = gate();
        let mut time = gate.asked_by("time");
        assert_eq!(time.hardware_time(), Err(Refusal::Failed(Errno::ENOENT)));
        assert_eq!(time.set_hardware(0), Err(Refusal::Failed(Errno::ENOENT)));
        system.set_clock(7_999_999_999);
        system.set_hardware_clock(Ok(3607));
        assert_eq!(time.hardware_time(), Ok(3607));
        assert_eq!(time.set_hardware(3600), Ok(()));
        assert_eq!(time.set_from_hardware(3600), Ok(()));
        system.set_hardware_clock(Ok(i64::MAX));
        assert_eq!(time.set_from_hardware(0), Err(Refusal::Failed(Errno::EOVERFLOW)));
        system.set_hardware_clock(Err(Errno::EBUSY));
        assert_eq!(time.set_from_hardware(0), Err(Refusal::Failed(Errno::EBUSY)));
        assert_eq!(system.events(), ["set-hardware-time 3607", "set-time 7000000000"]);
    }

    /// `report` may read the clock, `power` may run programs, a stranger nothing: none of them sets a clock.
    #[test]
    fn without_the_grant_no_clock_is_reached() {
        let (system, gate) = gate();
        system.set_hardware_clock(Ok(0));
        for module in ["report", "power", "stranger", ""] {
            assert_eq!(gate.asked_by(module).set_time(0), Err(Refusal::Denied), "{module}");
            assert_eq!(gate.asked_by(module).hardware_time(), Err(Refusal::Denied), "{module}");
            assert_eq!(gate.asked_by(module).set_hardware(0), Err(Refusal::Denied), "{module}");
            assert_eq!(gate.asked_by(module).set_from_hardware(0), Err(Refusal::Denied), "{module}");
            for direction in [Direction::SystemToHardware, Direction::HardwareToSystem] {
                let outcome = gate.asked_by(module).hardware_clock(direction);
                assert_eq!(outcome, Err(Refusal::Denied), "{module}");
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
        let mut time = gate.asked_by("time");
        assert_eq!(time.set_time(130_000_000_000), Ok(()));
        system.set_clock(100_000_000_000);
        assert_eq!(time.set_time(70_000_000_000), Ok(()), "back as far as forward");
        system.set_clock(100_000_000_000);
        for wrong in [130_000_000_001, 69_999_999_999, i64::MIN, i64::MAX] {
            assert_eq!(time.set_time(wrong), Err(Refusal::Denied), "{wrong}");
        }
        let denied = time.hardware_clock(Direction::HardwareToSystem);
        assert_eq!(denied, Err(Refusal::Denied), "nobody knows how far that is");
        let denied = time.set_from_hardware(0);
        assert_eq!(denied, Err(Refusal::Denied), "by no way");
        assert_eq!(time.hardware_clock(Direction::SystemToHardware), Ok(()));
        gate.set_policy(testing::with(&system, &format!("{permit}step = \"0s\"\nhardware = true\n")).policy());
        assert_eq!(time.hardware_clock(Direction::HardwareToSystem), Ok(()));
        assert_eq!(time.set_time(100_000_000_001), Err(Refusal::Denied));
    }
}
