//! Descriptors: clients leave none behind, and an agent that has none left waits for better days.

use bulkhead_lifecycle::{Process, within};
use bulkhead_test_support::{Agent, Client, agent_under_test};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};

const PING: &str = r#"{"execute":"guest-ping"}"#;

fn agent() -> Agent {
    Agent::start(&agent_under_test(), &[])
}

/// A client that has been served.
fn served(agent: &Agent) -> Client {
    let mut client = agent.client();
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
    client
}

#[test]
fn a_thousand_clients_leave_nothing_behind() {
    let agent = agent();
    let process = Process::new(agent.pid());
    served(&agent);
    let before = descriptors_without_client(&agent, process);
    let begin = Instant::now();
    for turn in 0..1000 {
        assert!(begin.elapsed() < Duration::from_secs(30), "only {turn} clients in {:?}", begin.elapsed());
        let mut client = agent.client();
        match turn % 4 {
            0 => assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({})),
            1 => client.send(PING.as_bytes()),
            2 => client.send(b"{\"execute\":"),
            _ => {}
        }
    }
    assert_eq!(descriptors_without_client(&agent, process), before);
}

/// The clients' leaving is noticed a moment later, so the count is taken when a last one is being served.
fn descriptors_without_client(agent: &Agent, process: Process) -> usize {
    let _client = served(agent);
    process.descriptors()
}

/// With the usual limit of descriptors and with a narrow one: open files are the agent's, so they stay when the client
/// that opened them has left, and somebody must be able to close them.
#[test]
fn a_client_that_opens_all_it_may_does_not_lock_out_the_next() {
    for descriptors in [1024, 32] {
        let agent = agent();
        let mut client = served(&agent);
        limit_descriptors(&agent, descriptors);
        let opened = open_until_refused(&mut client);
        drop(client);
        let mut next = agent.client();
        assert_eq!(next.call("guest-file-close", json!({ "handle": opened })).ok(), json!({}));
        assert_eq!(next.call("guest-file-open", json!({ "path": "/dev/null" })).ok(), opened + 1);
    }
}

/// Descriptors may be missing in the whole system, and come back.
#[test]
fn without_descriptors_the_agent_waits() {
    let mut agent = agent();
    let process = Process::new(agent.pid());
    drop(served(&agent));
    limit_descriptors(&agent, 3);
    let mut client = agent.client();
    client.send(PING.as_bytes());
    let ticks = process.ticks_at_rest(Duration::from_secs(2));
    limit_descriptors(&agent, 1024);
    assert!(ticks <= 4, "{ticks} ticks of processor time in 2 s of waiting for a descriptor");
    assert_eq!(client.reply().ok(), json!({}));

    limit_descriptors(&agent, 3);
    drop(client);
    let _client = agent.client();
    process.signal(Signal::SIGTERM);
    let status = within(Duration::from_secs(2), agent.child());
    assert_eq!(status.code(), Some(0), "{status}");
}

/// From now on the agent may open no descriptor with a number from `descriptors` on.
fn limit_descriptors(agent: &Agent, descriptors: u32) {
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &agent.pid().to_string(), &format!("--nofile={descriptors}:")]);
    assert!(prlimit.status().expect("prlimit is there (package util-linux)").success());
}

/// Opens files as long as the agent lets it; gives the last handle.
fn open_until_refused(client: &mut Client) -> i64 {
    let mut last = None;
    loop {
        let reply = client.call("guest-file-open", json!({ "path": "/dev/null" }));
        let Some(handle) = reply.value["return"].as_i64() else {
            assert!(reply.desc().starts_with("failed to open file '/dev/null'"), "{}", reply.text);
            return last.expect("one file at least could be opened");
        };
        last = Some(handle);
    }
}
