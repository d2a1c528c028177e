//! Agents as daemons: nobody's children, so that a test has to find and end them itself.

use crate::{Ended, Process, agent_in, run_to_end};
use bulkhead_test_support::{Client, Scratch};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A place for a daemon: a scratch folder with its socket, its pid file and its state. What was started in it is killed
/// when the test is over.
#[derive(Debug)]
pub struct Daemons(Scratch);

impl Drop for Daemons {
    fn drop(&mut self) {
        self.running().into_iter().for_each(Process::kill);
    }
}

impl Daemons {
    /// A fresh place.
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Self {
        Self::in_scratch(Scratch::new("daemon"))
    }

    /// A place that was prepared before.
    pub fn in_scratch(scratch: Scratch) -> Self {
        Daemons(scratch)
    }

    /// The agent with the usual socket and pid file, which further arguments may replace.
    pub fn command(&self) -> Command {
        let mut agent = agent_in(&self.0);
        agent.args(["-d", "-m", "unix-listen", "-p"]).arg(self.0.join("socket")).arg("-f").arg(self.pid_file());
        agent
    }

    /// Starts one with `extra` arguments.
    pub fn start(&self, extra: &[&str]) -> Ended {
        run_to_end(self.command().args(extra), &self.0)
    }

    /// As [`Daemons::start`]; it must succeed and say nothing. Gives the daemon's process.
    pub fn started(&self, extra: &[&str]) -> Process {
        let ended = self.start(extra);
        assert_eq!((ended.status.code(), ended.output.as_str()), (Some(0), ""));
        self.recorded()
    }

    /// As [`Daemons::start`]; it must fail. Gives what it says.
    pub fn refused(&self, extra: &[&str]) -> String {
        let ended = self.start(extra);
        assert_eq!(ended.status.code(), Some(1), "{extra:?}: {}", ended.output);
        ended.output
    }

    /// The folder.
    pub fn scratch(&self) -> &Scratch {
        &self.0
    }

    /// Where the pid file is.
    pub fn pid_file(&self) -> PathBuf {
        self.0.join("pid")
    }

    /// The process in the pid file.
    pub fn recorded(&self) -> Process {
        let text = fs::read_to_string(self.pid_file()).expect("there is a pid file");
        Process::new(text.strip_suffix('\n').and_then(|pid| pid.parse().ok()).expect("it holds a number and a newline"))
    }

    /// Every process that was started here and is running.
    pub fn running(&self) -> Vec<Process> {
        Process::all_with_argument(self.0.path().to_str().expect("a scratch folder's path is plain"))
    }

    /// A connection to the socket.
    pub fn client(&self) -> Client {
        Client::connect(&self.0.join("socket"))
    }

    /// Asserts that `process` serves, is on record, and is the only one.
    pub fn are_only(&self, process: Process) {
        assert_eq!(self.client().call("guest-ping", Value::Null).ok(), json!({}));
        assert_eq!(self.recorded().pid(), process.pid());
        assert_eq!(self.running().iter().map(|process| process.pid()).collect::<Vec<_>>(), [process.pid()]);
    }
}
