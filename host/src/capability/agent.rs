//! `agent`: what the agent knows of itself.

use super::interface::agent::{CommandInfo, Host};
use super::{Compartment, broken_rule};
use crate::QEMU_VERSION;
use bulkhead_border::{Agent, agent};

impl Host for Compartment {
    fn version(&mut self) -> wasmtime::Result<String> {
        self.ask()?;
        Ok(QEMU_VERSION.to_owned())
    }

    fn commands(&mut self) -> wasmtime::Result<Vec<CommandInfo>> {
        self.called(0)?;
        let commands = self.broker().commands().map_err(|_| not_granted())?;
        let describe =
            |agent::CommandInfo { name, enabled, success_response }| CommandInfo { name, enabled, success_response };
        Ok(commands.into_iter().map(describe).collect())
    }

    fn delimit_reply(&mut self) -> wasmtime::Result<()> {
        self.ask()?;
        self.delimited = true;
        Ok(())
    }
}

impl Compartment {
    fn ask(&mut self) -> wasmtime::Result<()> {
        self.called(0)?;
        self.broker().tell().map_err(|_| not_granted())
    }
}

/// What is denied here has no words for it: the broker does not let a command run that needs what nothing grants.
fn not_granted() -> wasmtime::Error {
    broken_rule("the module was not granted the agent")
}
