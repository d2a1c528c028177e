//! `clock-setting`: setting the clocks.

use super::interface::clock_setting::{Direction, Host};
use super::interface::types::{ErrorCode, ProgramError};
use super::{Compartment, errno};
use bulkhead_border::{ClockSetting, clock_setting};

impl Host for Compartment {
    fn set(&mut self, time: i64) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        Ok(self.broker().set_time(time).map_err(errno::code))
    }

    fn hardware_clock(&mut self, direction: Direction) -> wasmtime::Result<Result<(), ProgramError>> {
        self.called(0)?;
        let direction = match direction {
            Direction::SystemToHardware => clock_setting::Direction::SystemToHardware,
            Direction::HardwareToSystem => clock_setting::Direction::HardwareToSystem,
        };
        self.at_length(|it| it.broker().hardware_clock(direction).map_err(errno::program))
    }

    fn hardware_time(&mut self) -> wasmtime::Result<Result<i64, ErrorCode>> {
        self.called(0)?;
        Ok(self.broker().hardware_time().map_err(errno::code))
    }

    fn set_hardware(&mut self, ahead: i32) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        Ok(self.broker().set_hardware(ahead).map_err(errno::code))
    }

    fn set_from_hardware(&mut self, ahead: i32) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        Ok(self.broker().set_from_hardware(ahead).map_err(errno::code))
    }
}
