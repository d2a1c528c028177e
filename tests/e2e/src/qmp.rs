//! QEMU's own monitor, as far as the tests need it: commands and events.

use bulkhead_test_support::Client;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// A connection to the monitor. Its messages are JSON lines, so the agent's client serves here as well.
#[derive(Debug)]
pub(crate) struct Monitor {
    client: Client,
    events: Vec<Value>,
}

impl Monitor {
    /// Connects and leaves the negotiation mode.
    pub(crate) fn connect(socket: &Path) -> Self {
        let mut client = Client::connect(socket);
        client.patience = Duration::from_secs(60);
        client.reply();
        let mut monitor = Monitor { client, events: Vec::new() };
        monitor.command("qmp_capabilities", Value::Null);
        monitor
    }

    /// Runs one command and gives its return; events that come before it are kept.
    pub(crate) fn command(&mut self, command: &str, arguments: Value) -> Value {
        let mut request = json!({ "execute": command });
        if !arguments.is_null() {
            request["arguments"] = arguments;
        }
        self.client.send(format!("{request}\n").as_bytes());
        loop {
            let reply = self.client.reply();
            if reply.value.get("event").is_none() {
                return reply.ok();
            }
            self.events.push(reply.value);
        }
    }

    /// The `data` of the next event of this name; earlier events are forgotten.
    pub(crate) fn event(&mut self, name: &str, patience: Duration) -> Value {
        let end = Instant::now() + patience;
        loop {
            if let Some(at) = self.events.iter().position(|event| event["event"] == name) {
                return self.events.drain(..=at).next_back().expect("the range holds the event")["data"].clone();
            }
            let left = end.saturating_duration_since(Instant::now());
            let message = self.client.try_reply(left).unwrap_or_else(|| panic!("no event {name} within {patience:?}"));
            self.events.push(message.value);
        }
    }
}
