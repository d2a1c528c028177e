//! What `bulkhead status` says.

use crate::NAME;
use bulkhead_test_support::{Agent, Scratch, tools};
use std::process::{Command, Output};

/// Runs it for the agent with this state directory.
pub fn status(statedir: &Scratch, extra: &[&str]) -> Output {
    let mut command = Command::new(tools());
    command.arg("status").arg("--statedir").arg(statedir.path()).args(extra);
    command.env("QGA_CONF", statedir.join("no-configuration")).output().expect("the tool can be started")
}

/// What it says of an agent.
pub fn said_by_status(agent: &Agent) -> String {
    String::from_utf8_lossy(&status(agent.scratch(), &[]).stdout).into_owned()
}

/// Whether it says that this version of the vendor's module serves.
pub fn serves_by_status(agent: &Agent, version: &str) -> bool {
    said_by_status(agent).contains(&format!("{NAME} {version}: serves"))
}
