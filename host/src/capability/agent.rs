//! `agent`: what the agent knows of itself.

use super::Compartment;
use super::interface::agent::{CommandInfo, Host};
use crate::QEMU_VERSION;
use crate::commands::COMMANDS;

impl Host for Compartment {
    fn version(&mut self) -> wasmtime::Result<String> {
        self.called(0)?;
        Ok(QEMU_VERSION.to_owned())
    }

    fn commands(&mut self) -> wasmtime::Result<Vec<CommandInfo>> {
        self.called(0)?;
        let state = self.state();
        let describe = |command: &crate::commands::Command| CommandInfo {
            name: command.name.to_owned(),
            enabled: state.permits(command),
            success_response: command.success_response,
        };
        Ok(COMMANDS.iter().map(describe).collect())
    }

    fn delimit_reply(&mut self) -> wasmtime::Result<()> {
        self.called(0)?;
        self.delimited = true;
        Ok(())
    }
}
