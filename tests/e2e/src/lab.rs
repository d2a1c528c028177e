//! Many checks in one VM, as a Debian takes half a minute to boot.

use crate::{Vm, synchronise};
use bulkhead_schema::Schema;
use bulkhead_test_support::Client;
use serde_json::Value;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// One check: its name, the commands it needs, and what it does. It leaves the VM as it found it.
pub type Check = (&'static str, &'static [&'static str], fn(&mut Lab));

/// A VM, a client of its agent, and the schema that each reply is checked against.
#[derive(Debug)]
pub struct Lab {
    /// The VM, to look behind the agent's back.
    pub vm: Vm,
    /// A client in step with the agent.
    pub client: Client,
    schemas: Vec<Schema>,
    /// The commands that are there and enabled.
    commands: BTreeSet<String>,
}

impl Lab {
    /// Opens the conversation with a VM's agent.
    pub fn new(vm: Vm) -> Self {
        let schemas = bulkhead_schema::load_all().expect("our schemas can be read");
        let client = vm.client();
        let mut lab = Lab { vm, client, schemas, commands: BTreeSet::new() };
        let info = lab.call("guest-info", Value::Null);
        let commands = list(&info["supported_commands"]).iter().filter(|command| command["enabled"] == true);
        lab.commands = commands.map(|command| text(&command["name"]).to_owned()).collect();
        lab
    }

    /// Runs a command that must succeed and gives its return, which must be what our schema promises.
    pub fn call(&mut self, command: &str, arguments: Value) -> Value {
        let value = self.client.call(command, arguments).ok();
        let schema = self.schemas.iter().find(|schema| schema.command(command).is_some());
        let schema = schema.unwrap_or_else(|| panic!("no schema defines {command}"));
        let fits = schema.check_return(command, &value.to_string());
        fits.unwrap_or_else(|mismatch| panic!("{command}: {mismatch}"));
        value
    }

    /// What shell commands print, as JSON.
    pub fn json(&mut self, commands: &str) -> Value {
        let output = self.vm.shell(commands);
        serde_json::from_str(&output).unwrap_or_else(|error| panic!("{commands:?} prints no JSON: {error}: {output}"))
    }

    /// What shell commands print, as a number.
    pub fn number(&mut self, commands: &str) -> i64 {
        let output = self.vm.shell(commands);
        output.trim().parse().unwrap_or_else(|error| panic!("{commands:?} prints no number: {error}: {output}"))
    }

    /// What shell commands print, without the newline.
    pub fn line(&mut self, commands: &str) -> String {
        self.vm.shell(commands).trim_end().to_owned()
    }

    /// Runs checks and gives how many have failed. A failed one does not stop the others.
    pub fn run(&mut self, title: &str, checks: &[Check]) -> usize {
        let mut failed = Vec::new();
        for (name, needs, check) in checks {
            let missing = needs.iter().find(|command| !self.commands.contains(**command));
            if let Some(command) = missing.filter(|_| self.vm.runs_oracle()) {
                println!("check {title}::{name} ... left out: the oracle has no {command}");
                continue;
            }
            let start = Instant::now();
            let passed = catch_unwind(AssertUnwindSafe(|| {
                assert_eq!(missing, None, "the agent does not know this command");
                check(self);
            }));
            println!(
                "check {title}::{name} ... {} ({:.1?})",
                ["FAILED", "ok"][usize::from(passed.is_ok())],
                start.elapsed()
            );
            if passed.is_err() {
                failed.push(*name);
                self.recover();
            }
        }
        if !failed.is_empty() {
            println!("failed on {title}: {}\n---- console of the VM ----\n{}", failed.join(", "), self.vm.console());
        }
        failed.len()
    }

    /// After a failed check: no reply is left over for the next one, and nothing stays frozen.
    fn recover(&mut self) {
        // Without an agent that answers the next check fails, too, and tells.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            synchronise(&mut self.client);
            self.client.call("guest-fsfreeze-thaw", Value::Null);
        }));
    }
}

/// The elements of a JSON list.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("expected a list, got {value}"))
}

/// A JSON string.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("expected a string, got {value}"))
}

/// The element of a JSON list whose member `key` is this string.
pub fn find<'a>(elements: &'a Value, key: &str, wanted: &str) -> &'a Value {
    let found = list(elements).iter().find(|element| element[key] == wanted);
    found.unwrap_or_else(|| panic!("no element with {key} {wanted:?} in {elements}"))
}

/// The strings that the elements of a JSON list have as their member `key`, each once. Elements without it do not count.
pub fn names(elements: &Value, key: &str) -> BTreeSet<String> {
    list(elements).iter().filter_map(|element| element[key].as_str().map(str::to_owned)).collect()
}
