//! What a version did to agents before this one (`host/src/under_way.rs`).

use super::{Lineup, Serving};

impl Lineup {
    /// Has calls recorded from now on, and finds the one in which the last agent has ended, if it has in one.
    pub(super) fn open_record(&mut self) {
        match self.under_way.open() {
            Ok(found) => self.untold = found.or(self.untold.take()),
            Err(why) if self.unrecorded.as_ref() == Some(&why) => {}
            Err(why) => {
                tracing::warn!(
                    "a module that ends the agent will not be found out, for calls cannot be recorded: {why}"
                );
                self.unrecorded = Some(why);
            }
        }
    }

    /// A version that begins to serve, or what serves in its place: calls of it in which agents have ended count as its failures.
    pub(super) fn with_its_past(&mut self, name: &'static str, mut serving: Serving) -> Option<Serving> {
        let terms = self.broker.borrow().gate.policy().module(name);
        for death in self.under_way.deaths(serving.digest()) {
            let call = match death.command.as_str() {
                "" => "was made ready".to_owned(),
                command => format!("answered the command {command}"),
            };
            if self.untold.take_if(|untold| untold.number == death.number).is_some() {
                let version = serving.version();
                tracing::error!(
                    "an agent has ended while module {name} {version} {call}: that is a failure of the module"
                );
                self.broker.borrow().audit().ended_in(name, serving.digest(), &death.command);
            }
            serving.deaths += 1;
            if let Some(when) = serving.health.failed(&terms, death.at) {
                let next = self.successor(name, serving, &format!("an agent has ended while it {call}, {when}"))?;
                return self.with_its_past(name, next);
            }
        }
        Some(serving)
    }
}
