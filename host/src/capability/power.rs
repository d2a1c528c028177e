//! `power`: switching the machine off or over.

use super::interface::power::{Host, Mode, Tool};
use super::interface::types::ProgramError;
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
        let outcome = self.state().gate.run_tool(self.module, tool, mode);
        Ok(outcome.map_err(|error| errno::program(error, tool.path())))
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
