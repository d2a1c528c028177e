//! `agent`: what the agent knows of itself.

use super::interface::agent::{CommandInfo, Host};
use super::{Compartment, broken_rule};
use crate::QEMU_VERSION;
use bulkhead_catalog::commands::Command;

impl Host for Compartment {
    fn version(&mut self) -> wasmtime::Result<String> {
        self.ask()?;
        Ok(QEMU_VERSION.to_owned())
    }

    fn commands(&mut self) -> wasmtime::Result<Vec<CommandInfo>> {
        self.ask()?;
        let mut state = self.state();
        let catalog = state.catalog().clone();
        let describe = |(command, enabled): (&Command, &bool)| CommandInfo {
            name: command.name.to_owned(),
            enabled: *enabled,
            success_response: command.success_response,
        };
        Ok(catalog.all().iter().zip(state.enabled()).map(describe).collect())
    }

    fn delimit_reply(&mut self) -> wasmtime::Result<()> {
        self.ask()?;
        self.delimited = true;
        Ok(())
    }
}

impl Compartment {
    /// What is denied here has no words for it: the dispatcher does not run a command that needs what nothing grants.
    fn ask(&mut self) -> wasmtime::Result<()> {
        self.called(0)?;
        self.state().gate.tell(self.module).map_err(|_| broken_rule("the module was not granted the agent"))
    }
}
