//! `agent`: what the agent knows of itself.

use super::calls::Asked;
use bulkhead_border::agent::CommandInfo;
use bulkhead_border::{Agent, Errno, Refusal};

impl Agent for Asked<'_> {
    fn tell(&mut self) -> Result<(), Refusal<Errno>> {
        self.broker.gate.tell(self.module)
    }

    fn commands(&mut self) -> Result<Vec<CommandInfo>, Refusal<Errno>> {
        self.tell()?;
        let (frozen, policy) = (self.broker.is_frozen(), self.broker.gate.policy());
        let enabled = self.broker.rulings.enabled(frozen, &policy).to_vec();
        let commands = self.broker.catalog().all().iter().zip(enabled);
        let info = commands.map(|(command, enabled)| CommandInfo {
            name: command.name.to_owned(),
            enabled,
            success_response: command.success_response,
        });
        Ok(info.collect())
    }
}
