//! An idle agent makes no wake-ups: in a VM each of them costs the machine below a switch of worlds.

use bulkhead_lifecycle::{Line, Process};
use bulkhead_test_support::{Agent, Client, agent_under_test};
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

/// Of a large request the next piece is looked for without sleep, but not for long.
#[test]
fn with_a_client_in_the_middle_of_a_large_request() {
    let (agent, _client) = within_a_large_request();
    stays_asleep(Process::new(agent.pid()));
}

/// Who sends it in small pieces has the agent sleep between them, however short the pauses are.
#[test]
fn with_a_client_that_takes_its_time_over_a_large_request() {
    let (agent, mut client) = within_a_large_request();
    let process = Process::new(agent.pid());
    let before = process.wake_ups();
    for _ in 0..2000 {
        client.send(b"x");
        std::thread::sleep(Duration::from_micros(100));
    }
    // As many as there are pieces, if nothing else is at work.
    let slept = process.wake_ups() - before;
    assert!(slept > 200, "it slept {slept} times while 2000 bytes came one by one");
}

/// An agent and its client, which has sent two mebibytes of a request and not its end.
fn within_a_large_request() -> (Agent, Client) {
    let agent = Agent::start(&agent_under_test(), &[]);
    let mut client = agent.client();
    client.send(br#"{"execute":"guest-ping","id":""#);
    client.send(&[b'x'; 2 << 20]);
    (agent, client)
}

#[test]
fn on_a_serial_line() {
    let mut line = Line::new();
    let agent = Agent::start(&agent_under_test(), &["-m", "isa-serial", "-p", line.device().to_str().unwrap()]);
    line.until_taken();
    assert_eq!(line.call("guest-ping", json!({})), json!({}));
    stays_asleep(Process::new(agent.pid()));
}
