//! `power`: switching the machine off, over or to sleep.

use super::interface::power::{Host, Mode, Sleep, SleepTool, Tool};
use super::interface::types::{ErrorCode, ProgramError};
use super::{Compartment, errno};

impl Host for Compartment {
    fn present(&mut self, tool: Tool) -> wasmtime::Result<bool> {
        self.called(0)?;
        Ok(self.state().gate.has_tool(self.module, plain(tool)))
    }

    fn run(&mut self, tool: Tool, mode: Mode) -> wasmtime::Result<Result<(), ProgramError>> {
        self.called(0)?;
        let tool = plain(tool);
        let mode = match mode {
            Mode::Powerdown => bulkhead_gate::Mode::Powerdown,
            Mode::Halt => bulkhead_gate::Mode::Halt,
            Mode::Reboot => bulkhead_gate::Mode::Reboot,
        };
        let outcome = self.at_length(|it| it.state().gate.run_tool(it.module, tool, mode))?;
        Ok(outcome.map_err(|error| errno::program(error, tool.path())))
    }

    fn ask_sleep(&mut self, tool: SleepTool, sleep: Sleep) -> wasmtime::Result<Result<(), ProgramError>> {
        self.called(0)?;
        let (tool, sleep) = (plain_tool(tool), plain_sleep(sleep));
        let outcome = self.at_length(|it| it.state().gate.ask_sleep(it.module, tool, sleep))?;
        Ok(outcome.map_err(|error| errno::program(error, tool.ask(sleep).0)))
    }

    fn run_sleep(&mut self, tool: SleepTool, sleep: Sleep) -> wasmtime::Result<Result<(), ProgramError>> {
        self.called(0)?;
        let (tool, sleep) = (plain_tool(tool), plain_sleep(sleep));
        let outcome = self.at_length(|it| it.state().gate.run_sleep(it.module, tool, sleep))?;
        Ok(outcome.map_err(|error| errno::program(error, tool.run(sleep).0)))
    }

    fn systemd_runs(&mut self) -> wasmtime::Result<bool> {
        self.called(0)?;
        Ok(self.state().gate.has_systemd(self.module))
    }

    fn kernel_sleeps(&mut self) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        self.called(0)?;
        Ok(self.state().gate.kernel_sleeps(self.module).map_err(errno::code))
    }

    fn kernel_sleep(&mut self, sleep: Sleep) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        self.at_length(|it| it.state().gate.kernel_sleep(it.module, plain_sleep(sleep)).map_err(errno::code))
    }
}

fn plain_tool(tool: SleepTool) -> bulkhead_gate::SleepTool {
    match tool {
        SleepTool::Systemd => bulkhead_gate::SleepTool::Systemd,
        SleepTool::PmUtils => bulkhead_gate::SleepTool::PmUtils,
    }
}

fn plain_sleep(sleep: Sleep) -> bulkhead_gate::Sleep {
    match sleep {
        Sleep::Disk => bulkhead_gate::Sleep::Disk,
        Sleep::Ram => bulkhead_gate::Sleep::Ram,
        Sleep::Hybrid => bulkhead_gate::Sleep::Hybrid,
    }
}

fn plain(tool: Tool) -> bulkhead_gate::Tool {
    match tool {
        Tool::Poweroff => bulkhead_gate::Tool::Poweroff,
        Tool::Halt => bulkhead_gate::Tool::Halt,
        Tool::Reboot => bulkhead_gate::Tool::Reboot,
        Tool::Shutdown => bulkhead_gate::Tool::Shutdown,
    }
}
