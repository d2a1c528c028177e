//! `power`: switching the machine off, over or to sleep.

use super::interface::power::{Host, Mode, Sleep, SleepTool, Tool};
use super::interface::types::{ErrorCode, ProgramError};
use super::{Compartment, errno};
use bulkhead_border::{Power, power};

impl Host for Compartment {
    fn present(&mut self, tool: Tool) -> wasmtime::Result<bool> {
        self.called(0)?;
        Ok(self.broker().has_tool(plain(tool)))
    }

    fn run(&mut self, tool: Tool, mode: Mode) -> wasmtime::Result<Result<(), ProgramError>> {
        self.called(0)?;
        let mode = match mode {
            Mode::Powerdown => power::Mode::Powerdown,
            Mode::Halt => power::Mode::Halt,
            Mode::Reboot => power::Mode::Reboot,
        };
        self.at_length(|it| it.broker().run_tool(plain(tool), mode).map_err(errno::program))
    }

    fn ask_sleep(&mut self, tool: SleepTool, sleep: Sleep) -> wasmtime::Result<Result<(), ProgramError>> {
        self.called(0)?;
        self.at_length(|it| it.broker().ask_sleep(plain_tool(tool), plain_sleep(sleep)).map_err(errno::program))
    }

    fn run_sleep(&mut self, tool: SleepTool, sleep: Sleep) -> wasmtime::Result<Result<(), ProgramError>> {
        self.called(0)?;
        self.at_length(|it| it.broker().run_sleep(plain_tool(tool), plain_sleep(sleep)).map_err(errno::program))
    }

    fn systemd_runs(&mut self) -> wasmtime::Result<bool> {
        self.called(0)?;
        Ok(self.broker().has_systemd())
    }

    fn kernel_sleeps(&mut self) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        self.called(0)?;
        Ok(self.broker().kernel_sleeps().map_err(errno::code))
    }

    fn kernel_sleep(&mut self, sleep: Sleep) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        self.at_length(|it| it.broker().kernel_sleep(plain_sleep(sleep)).map_err(errno::code))
    }
}

fn plain_tool(tool: SleepTool) -> power::SleepTool {
    match tool {
        SleepTool::Systemd => power::SleepTool::Systemd,
        SleepTool::PmUtils => power::SleepTool::PmUtils,
    }
}

fn plain_sleep(sleep: Sleep) -> power::Sleep {
    match sleep {
        Sleep::Disk => power::Sleep::Disk,
        Sleep::Ram => power::Sleep::Ram,
        Sleep::Hybrid => power::Sleep::Hybrid,
    }
}

fn plain(tool: Tool) -> power::Tool {
    match tool {
        Tool::Poweroff => power::Tool::Poweroff,
        Tool::Halt => power::Tool::Halt,
        Tool::Reboot => power::Tool::Reboot,
        Tool::Shutdown => power::Tool::Shutdown,
    }
}
