//! A client that asks for much and does not read. (qemu-ga uses all of a processor until it leaves, and is deaf to
//! signals meanwhile.)

use bulkhead_lifecycle::{Process, within};
use bulkhead_test_support::{Agent, Client, agent_under_test};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::time::Duration;

/// The most that one guest-file-read gives.
const MOST: u32 = 48 << 20;

/// Numbers, so that no piece of the file is like another.
fn content() -> impl Iterator<Item = [u8; 4]> {
    (0..MOST / 4).map(u32::to_le_bytes)
}

/// An agent, and its client which has asked for the whole of a large file and reads nothing of the reply.
fn stuffed() -> (Agent, Client) {
    let agent = Agent::start(&agent_under_test(), &[]);
    let path = agent.scratch().join("large");
    let mut file = BufWriter::new(std::fs::File::create(&path).unwrap());
    content().for_each(|piece| file.write_all(&piece).unwrap());
    file.flush().unwrap();
    let mut client = agent.client();
    let handle = client.call("guest-file-open", json!({ "path": path.to_str() })).ok();
    let read = json!({ "execute": "guest-file-read", "arguments": { "handle": handle, "count": MOST } });
    client.send(read.to_string().as_bytes());
    (agent, client)
}

#[test]
fn waiting_for_it_costs_no_processor_time_and_loses_nothing() {
    let (agent, mut client) = stuffed();
    let ticks = Process::new(agent.pid()).ticks_at_rest(Duration::from_secs(2));
    assert!(ticks <= 3, "{ticks} ticks of processor time in 2 s of waiting for a reader");

    client.patience = Duration::from_secs(60);
    let reply = client.reply().ok();
    assert_eq!((&reply["count"], &reply["eof"]), (&json!(MOST), &json!(false)));
    let base64 = reply["buf-b64"].as_str().unwrap();
    let bytes = base64_simd::STANDARD.decode_to_vec(base64).unwrap();
    assert!(bytes.chunks(4).eq(content()), "the bytes are not those of the file");
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
}

#[test]
fn the_next_client_is_served_when_it_leaves() {
    let (agent, client) = stuffed();
    let mut next = agent.client();
    next.send(br#"{"execute":"guest-ping"}"#);
    assert_eq!(next.try_reply(Duration::from_secs(1)), None);
    drop(client);
    assert_eq!(next.reply().ok(), json!({}));
}

#[test]
fn it_does_not_keep_the_agent_from_ending() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (mut agent, _client) = stuffed();
        let process = Process::new(agent.pid());
        process.ticks_at_rest(Duration::ZERO);
        process.signal(signal);
        let status = within(Duration::from_secs(1), agent.child());
        assert_eq!(status.code(), Some(0), "{signal}: {status}");
    }
}
