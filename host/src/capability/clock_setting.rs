//! `clock-setting`: setting the clocks.

use super::interface::clock_setting::{Direction, Host};
use super::interface::types::{ErrorCode, ProgramError};
use super::{Compartment, errno};

impl Host for Compartment {
    fn set(&mut self, time: i64) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        Ok(self.state().gate.set_time(self.module, time).map_err(errno::code))
    }

    fn hardware_clock(&mut self, direction: Direction) -> wasmtime::Result<Result<(), ProgramError>> {
        self.called(0)?;
        let direction = match direction {
            Direction::SystemToHardware => bulkhead_gate::Direction::SystemToHardware,
            Direction::HardwareToSystem => bulkhead_gate::Direction::HardwareToSystem,
        };
        let outcome = self.at_length(|it| it.state().gate.hardware_clock(it.module, direction))?;
        Ok(outcome.map_err(|error| errno::program(error, bulkhead_gate::HWCLOCK)))
    }

    fn hardware_time(&mut self) -> wasmtime::Result<Result<i64, ErrorCode>> {
        self.called(0)?;
        Ok(self.state().gate.hardware_time(self.module).map_err(errno::code))
    }

    fn set_hardware(&mut self, ahead: i32) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        Ok(self.state().gate.set_hardware(self.module, ahead).map_err(errno::code))
    }

    fn set_from_hardware(&mut self, ahead: i32) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        Ok(self.state().gate.set_from_hardware(self.module, ahead).map_err(errno::code))
    }
}
