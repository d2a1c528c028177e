//! SIGTERM and SIGINT: the agent ends cleanly and at once, except while it holds file systems frozen.

use bulkhead_lifecycle::{Process, frozen_scratch, within};
use bulkhead_test_support::{Agent, agent_under_test};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const STOP: [Signal; 2] = [Signal::SIGTERM, Signal::SIGINT];

/// At once, for a machine that is busy with other tests.
const AT_ONCE: Duration = Duration::from_secs(1);

fn ends_cleanly(agent: &mut Agent, signal: Signal) {
    Process::new(agent.pid()).signal(signal);
    let status = within(AT_ONCE, agent.child());
    assert_eq!(status.code(), Some(0), "{signal}: {status}: {}", agent.log());
}

#[test]
fn without_a_client() {
    for signal in STOP {
        let mut agent = Agent::start(&agent_under_test(), &[]);
        assert_eq!(agent.client().call("guest-ping", Value::Null).ok(), json!({}));
        ends_cleanly(&mut agent, signal);
    }
}

#[test]
fn with_a_client() {
    for signal in STOP {
        let mut agent = Agent::start(&agent_under_test(), &[]);
        let mut client = agent.client();
        assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
        client.send(br#"{"execute":"guest-pi"#);
        ends_cleanly(&mut agent, signal);
        assert_eq!(client.try_reply(AT_ONCE), None);
    }
}

#[test]
fn not_while_frozen() {
    for signal in STOP {
        let mut agent = Agent::start_in(frozen_scratch(), &agent_under_test(), &[], &[]);
        let process = Process::new(agent.pid());
        let mut client = agent.client();
        assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "frozen");
        process.signal(signal);
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
        drop(client);
        process.signal(signal);
        let mut client = agent.client();
        assert_eq!(client.call("guest-fsfreeze-thaw", Value::Null).ok(), 0);
        assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "thawed", "the signals are forgotten");
        ends_cleanly(&mut agent, signal);
    }
}

#[test]
fn after_the_program_that_is_being_waited_for() {
    for signal in STOP {
        let scratch = frozen_scratch();
        let (hook, begun, done) = (scratch.join("hook"), scratch.join("begun"), scratch.join("done"));
        script(&hook, &format!("touch {}; sleep 1; touch {}", begun.display(), done.display()));
        let option = format!("--fsfreeze-hook={}", hook.display());
        let mut agent = Agent::start_in(scratch, &agent_under_test(), &[&option], &[]);
        let mut client = agent.client();
        client.send(br#"{"execute":"guest-fsfreeze-thaw"}"#);
        wait_for(&begun);
        Process::new(agent.pid()).signal(signal);
        let status = within(Duration::from_secs(3), agent.child());
        assert_eq!(status.code(), Some(0), "{signal}: {status}");
        assert!(done.exists(), "the hook was not let finish");
        assert_eq!(client.reply().ok(), 0, "and its client was told");
        assert!(!agent.scratch().join("qga.state.isfrozen").exists());
    }
}

/// A crash is no end: what the next agent must know is on record.
#[test]
fn a_kill_leaves_the_frozen_state_on_record() {
    let agent = Agent::start_in(frozen_scratch(), &agent_under_test(), &[], &[]);
    assert_eq!(agent.client().call("guest-fsfreeze-status", Value::Null).ok(), "frozen");
    let next = Agent::start_in(agent.kill(), &agent_under_test(), &[], &[]);
    assert_eq!(next.client().call("guest-fsfreeze-status", Value::Null).ok(), "frozen");
}

/// A script at `path`. A shell writes it: were this process to do so, a child that another thread starts at that moment
/// would have the file open for writing too, and a file open for writing cannot be executed.
fn script(path: &Path, body: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"printf '#!/bin/sh\n%s\n' "$2" >"$1" && chmod 755 "$1""#, "-"]);
    assert!(shell.arg(path).arg(body).status().unwrap().success());
}

fn wait_for(path: &Path) {
    let end = Instant::now() + Duration::from_secs(10);
    while !path.exists() {
        assert!(Instant::now() < end, "{} does not appear", path.display());
        std::thread::sleep(Duration::from_millis(2));
    }
}
