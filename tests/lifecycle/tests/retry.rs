//! `-r`: the device may come later than the agent.

use bulkhead_lifecycle::{Line, Process, refused, within};
use bulkhead_test_support::{Agent, Scratch, agent_under_test};
use nix::sys::signal::Signal;
use serde_json::json;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

#[test]
fn without_it_a_missing_device_is_an_error() {
    let scratch = Scratch::new("no-retry");
    let path = scratch.join("line");
    for method in ["isa-serial", "virtio-serial"] {
        let said = refused(&scratch, &["-m", method, "-p", path.to_str().unwrap()]);
        let expected = format!("error opening channel '{}': No such file or directory", path.display());
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn with_it_the_agent_waits_for_the_device() {
    let scratch = Scratch::new("retry");
    let path = scratch.join("line");
    let agent = Agent::start(&agent_under_test(), &["-r", "-m", "isa-serial", "-p", path.to_str().unwrap()]);
    until_waiting(&agent);
    let mut line = Line::new();
    symlink(line.device(), &path).unwrap();
    line.until_taken();
    assert_eq!(line.call("guest-ping", json!({})), json!({}));
    let reason = format!("error opening channel '{}': No such file or directory", path.display());
    assert!(agent.log().contains(&reason), "{}", agent.log());
}

#[test]
fn it_can_be_stopped_while_it_waits() {
    let mut agent = Agent::start(&agent_under_test(), &["-r", "-m", "virtio-serial", "-p", "/nonexistent/port"]);
    until_waiting(&agent);
    Process::new(agent.pid()).signal(Signal::SIGTERM);
    let status = within(Duration::from_secs(1), agent.child());
    assert!(status.success(), "{status}");
}

/// No configuration becomes right by waiting.
#[test]
fn it_is_no_help_against_a_wrong_address() {
    let said = refused(&Scratch::new("retry-wrong"), &["-r", "-m", "vsock-listen", "-p", "nowhere"]);
    assert!(said.contains("error parsing address 'nowhere'"), "{said}");
}

fn until_waiting(agent: &Agent) {
    let end = Instant::now() + Duration::from_secs(10);
    while !agent.log().contains("trying again") {
        assert!(Instant::now() < end, "the agent does not say that it waits: {}", agent.log());
        std::thread::sleep(Duration::from_millis(2));
    }
}
