//! SIGTERM and SIGINT: the agent ends cleanly and at once, except while it holds file systems frozen.

use bulkhead_lifecycle::{Process, frozen_scratch, script, soon, within};
use bulkhead_test_support::{Agent, Scratch, agent_under_test};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

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

/// Were signals only looked at when there is nothing to read, this client would keep the agent alive for ever.
#[test]
fn with_a_client_that_never_pauses() {
    for signal in STOP {
        let mut agent = Agent::start(&agent_under_test(), &[]);
        let mut client = agent.client();
        assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
        let (mut writer, mut reader) = (client.stream().try_clone().unwrap(), client.stream().try_clone().unwrap());
        reader.set_read_timeout(None).unwrap();
        let pings = r#"{"execute":"guest-ping"}"#.repeat(1000);
        let sender = std::thread::spawn(move || while writer.write_all(pings.as_bytes()).is_ok() {});
        let receiver = std::thread::spawn(move || while reader.read(&mut [0; 65536]).is_ok_and(|count| count > 0) {});
        std::thread::sleep(Duration::from_millis(500));
        ends_cleanly(&mut agent, signal);
        sender.join().unwrap();
        receiver.join().unwrap();
    }
}

#[test]
fn not_while_frozen() {
    for signal in STOP {
        let mut agent = Agent::start_in(frozen_scratch(), &agent_under_test(), &[], &[]);
        let process = Process::new(agent.pid());
        let mut client = agent.client();
        assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "frozen");
        let is_heard = || std::thread::sleep(Duration::from_millis(300));
        process.signal(signal);
        is_heard();
        assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
        drop(client);
        process.signal(signal);
        is_heard();
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
        soon("the hook runs", || begun.exists());
        Process::new(agent.pid()).signal(signal);
        let status = within(Duration::from_secs(3), agent.child());
        assert_eq!(status.code(), Some(0), "{signal}: {status}");
        assert!(done.exists(), "the hook was not let finish");
        assert_eq!(client.reply().ok(), 0, "and its client was told");
        assert!(!agent.scratch().join("qga.state.isfrozen").exists());
    }
}

/// Who sees the channel open may take the agent for ready, and service managers stop what they have just started.
#[test]
fn as_soon_as_its_channel_is_open() {
    for signal in STOP {
        for _ in 0..5 {
            let scratch = Scratch::new("signals");
            let socket = scratch.join("socket");
            let mut agent = Command::new(agent_under_test())
                .args(["-m", "unix-listen", "-p", socket.to_str().unwrap(), "-t", scratch.path().to_str().unwrap()])
                .spawn()
                .unwrap();
            while UnixStream::connect(&socket).is_err() {
                assert!(agent.try_wait().unwrap().is_none(), "it ended without being told to");
            }
            Process::new(agent.id()).signal(signal);
            let status = within(Duration::from_secs(3), &mut agent);
            assert_eq!(status.code(), Some(0), "{signal}: {status}");
        }
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
