//! Agents that are expected to end, and how they ended.

use bulkhead_test_support::{Scratch, agent_under_test};
use std::fs::File;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a start or an end may take. Far more than it needs: what must be quick is measured where it must.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it printed, on standard output and standard error together.
    pub output: String,
}

/// A child process that does not outlive its test.
#[derive(Debug)]
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The agent under test with its state directory in `scratch` and no configuration file but one named by an argument.
pub fn agent_in(scratch: &Scratch) -> Command {
    let mut command = Command::new(agent_under_test());
    command.arg("-t").arg(scratch.path()).env("QGA_CONF", scratch.join("no-configuration")).stdin(Stdio::null());
    command
}

/// Waits for a child to end; panics if it has not done so after `patience`.
pub fn within(patience: Duration, child: &mut Child) -> ExitStatus {
    let end = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            return status;
        }
        assert!(Instant::now() < end, "process {} has not ended after {patience:?}", child.id());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Runs a command to its end. What it prints goes through a file in `scratch`, for a pipe would stay open as long as a
/// daemon that it leaves behind.
pub fn run_to_end(command: &mut Command, scratch: &Scratch) -> Ended {
    let path = scratch.join("output");
    let output = File::create(&path).expect("a scratch folder can be written to");
    command.stdout(output.try_clone().expect("a descriptor can be copied")).stderr(output);
    let mut running = Running(command.spawn().expect("the agent can be started"));
    let status = within(PATIENCE, &mut running.0);
    Ended { status, output: String::from_utf8_lossy(&std::fs::read(path).expect("it is there")).into_owned() }
}

/// What the agent says when it refuses to start with `arguments`: it must exit with status 1 and say something.
pub fn refused(scratch: &Scratch, arguments: &[&str]) -> String {
    let ended = run_to_end(agent_in(scratch).args(arguments), scratch);
    assert_eq!(ended.status.code(), Some(1), "{arguments:?}: {}", ended.output);
    assert!(!ended.output.is_empty(), "{arguments:?}: it must say why");
    ended.output
}
