//! Memory: what a large request takes is given back when the agent has rested for a second, and never is as much as twice the
//! request.

use bulkhead_lifecycle::{Memory, Process, soon};
use bulkhead_test_support::{Agent, Client, agent_under_test};
use serde_json::{Value, json};
use std::time::Duration;

/// The most that one guest-file-read gives.
const MOST: usize = 48 << 20;

/// The most, in KiB, that may be resident at any time. A request to write 48 MiB has 64 MiB, and the agent itself is small.
const PEAK: u64 = 100_000;

/// How much more may be resident, in KiB, when a large request is over.
const LEFT: u64 = 8 << 10;

/// An agent that has answered a request or two, and its client.
struct Warm {
    process: Process,
    agent: Agent,
    client: Client,
    before: Memory,
}

fn warm() -> Warm {
    let agent = Agent::start(&agent_under_test(), &[]);
    let mut client = agent.client();
    client.patience = Duration::from_secs(60);
    let handle = client.call("guest-file-open", json!({ "path": "/dev/zero" })).ok();
    assert_eq!(client.call("guest-file-read", json!({ "handle": handle })).ok()["count"], 4096);
    let process = Process::new(agent.pid());
    Warm { process, agent, client, before: process.memory() }
}

impl Warm {
    /// Asserts that the memory is as it was, by and large.
    fn is_back(&mut self) {
        assert_eq!(self.client.call("guest-ping", Value::Null).ok(), json!({}));
        let most = self.before.anonymous + LEFT;
        soon("the memory is given back", || self.process.memory().anonymous <= most);
        let (before, now) = (self.before, self.process.memory());
        println!("in KiB: {before:?} before, {now:?} afterwards");
        assert!(now.peak <= PEAK);
    }

    fn open(&mut self, path: &str, mode: &str) -> Value {
        self.client.call("guest-file-open", json!({ "path": path, "mode": mode })).ok()
    }
}

#[test]
fn after_reading_48_mib() {
    let mut warm = warm();
    let handle = warm.open("/dev/zero", "r");
    for _ in 0..2 {
        let reply = warm.client.call("guest-file-read", json!({ "handle": handle, "count": MOST })).ok();
        assert_eq!((&reply["count"], reply["buf-b64"].as_str().map(str::len)), (&json!(MOST), Some(MOST / 3 * 4)));
        warm.is_back();
    }
    // Its bytes are in memory, and never their base64, which is a third longer.
    let peak = warm.process.memory().peak;
    assert!(peak < (MOST as u64 / 3 * 4) >> 10, "{peak} KiB");
}

/// Built-in modules are run where they are, in the agent's file: nothing can be executed that was written to memory.
#[test]
fn code_is_in_files() {
    let agent = Agent::start(&agent_under_test(), &[]);
    let mut client = agent.client();
    for command in ["guest-ping", "guest-get-osinfo", "guest-fsfreeze-status"] {
        client.call(command, Value::Null).ok();
    }
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", agent.pid())).unwrap();
    let executable: Vec<_> = maps.lines().filter(|line| line.contains("xp ")).collect();
    let file = agent_under_test().canonicalize().unwrap();
    // The agent's own code, and that of three modules.
    let own = executable.iter().filter(|line| line.ends_with(&*file.to_string_lossy())).count();
    assert!(own >= 4, "{own} parts of the agent's file can be executed: {executable:#?}");
    // What has no name is memory; of [vdso] and [vsyscall] the kernel takes care.
    assert!(executable.iter().all(|line| line.contains(['/', '['])), "{executable:#?}");
}

/// What a request of this size was in is kept for the next one, until the agent has rested.
#[test]
fn after_writing_16_mib() {
    is_back_after_writing(16 << 20);
}

/// What a large reply was in is kept for the next one too, and given back when a large request comes: the two together never are.
#[test]
fn after_reading_much_and_writing_much() {
    let mut warm = warm();
    let handle = warm.open("/dev/zero", "r");
    warm.client.call("guest-file-read", json!({ "handle": handle, "count": MOST })).ok();
    let read = warm.process.memory();
    let path = warm.agent.scratch().join("written");
    let handle = warm.open(path.to_str().unwrap(), "w");
    let content = base64_simd::STANDARD.encode_to_string(vec![b'x'; 16 << 20]);
    warm.client.call("guest-file-write", json!({ "handle": handle, "buf-b64": content })).ok();
    let written = warm.process.memory();
    assert!(written.peak < read.peak + LEFT, "in KiB: {read:?} after reading, {written:?} after writing");
    warm.is_back();
}

/// All tokens of a request together may have 64 MiB, so 48 MiB in base64 are just too much.
#[test]
fn after_writing_48_mib() {
    is_back_after_writing(MOST - 300);
}

fn is_back_after_writing(count: usize) {
    let mut warm = warm();
    let path = warm.agent.scratch().join("written");
    let handle = warm.open(path.to_str().unwrap(), "w");
    let content = base64_simd::STANDARD.encode_to_string(vec![b'x'; count]);
    for turn in 1..=2 {
        let reply = warm.client.call("guest-file-write", json!({ "handle": handle, "buf-b64": content })).ok();
        assert_eq!(reply["count"], count);
        warm.is_back();
        warm.client.call("guest-file-flush", json!({ "handle": handle })).ok();
        assert_eq!(path.metadata().unwrap().len(), (turn * count) as u64);
    }
}

#[test]
fn after_a_request_beyond_the_limit() {
    let mut warm = warm();
    let piece = [b'x'; 1 << 20];
    warm.client.send(br#"{"execute":"guest-ping","id":""#);
    (0..80).for_each(|_| warm.client.send(&piece));
    warm.client.send(br#""}"#);
    assert_eq!(warm.client.reply().desc(), "JSON token size limit exceeded");
    // The next reply is the next request's: there is one error and no more.
    warm.is_back();
}
