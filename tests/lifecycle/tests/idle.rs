//! An idle agent makes no wake-ups: in a VM each of them costs the machine below a switch of worlds.

use bulkhead_lifecycle::{Line, Process};
use bulkhead_test_support::{Agent, agent_under_test};
use serde_json::{Value, json};
use std::time::Duration;

/// Asserts that nothing happens in `process` for five seconds, from two seconds after now on: a thread that has just
/// had work may stay awake for a while.
fn stays_asleep(process: Process) {
    std::thread::sleep(Duration::from_secs(2));
    let before = process.wake_ups();
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(process.wake_ups(), before, "wake-ups before and after 5 s");
}

#[test]
fn before_its_first_client() {
    let agent = Agent::start(&agent_under_test(), &[]);
    while !agent.scratch().join("socket").exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
    stays_asleep(Process::new(agent.pid()));
}

#[test]
fn with_a_client_that_is_silent() {
    let agent = Agent::start(&agent_under_test(), &[]);
    let mut client = agent.client();
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
    stays_asleep(Process::new(agent.pid()));
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}), "and it is awake at once");
}

#[test]
fn after_its_client_has_left() {
    let agent = Agent::start(&agent_under_test(), &[]);
    assert_eq!(agent.client().call("guest-ping", Value::Null).ok(), json!({}));
    stays_asleep(Process::new(agent.pid()));
}

#[test]
fn with_a_client_in_the_middle_of_a_request() {
    let agent = Agent::start(&agent_under_test(), &[]);
    let mut client = agent.client();
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
    client.send(br#"{"execute":"#);
    stays_asleep(Process::new(agent.pid()));
}

#[test]
fn on_a_serial_line() {
    let mut line = Line::new();
    let agent = Agent::start(&agent_under_test(), &["-m", "isa-serial", "-p", line.device().to_str().unwrap()]);
    line.until_taken();
    assert_eq!(line.call("guest-ping", json!({})), json!({}));
    stays_asleep(Process::new(agent.pid()));
}
