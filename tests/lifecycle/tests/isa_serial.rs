//! `isa-serial`, on a pseudo-terminal: every byte gets through as it is, and a line that was hung up is found again.
//! (qemu-ga is deaf for ever after a hang-up.)

use bulkhead_lifecycle::{Daemons, Line, Process};
use bulkhead_test_support::{Agent, Scratch, agent_under_test};
use serde_json::json;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

fn agent_on(device: &Path) -> Agent {
    Agent::start(&agent_under_test(), &["-m", "isa-serial", "-p", device.to_str().unwrap()])
}

#[test]
fn a_request_is_answered_once_and_not_echoed() {
    let mut line = Line::new();
    let _agent = agent_on(line.device());
    line.until_taken();
    line.send(b"{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1}}\r\n{\"execute\":\"guest-ping\"}\n");
    assert_eq!(line.line(), b"{\"return\": 1}\n");
    assert_eq!(line.line(), b"{\"return\": {}}\n");
}

/// A terminal gives meanings to bytes: ends of lines, of files, of processes. On the line none of them has one. What
/// each byte does to a request is not of interest here, only that it does the same as on a socket.
#[test]
fn every_byte_gets_through() {
    let end = b"\xFF{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":-1}}\n";
    let last = b"\xFF{\"return\": -1}\n";
    let mut conversation = Vec::new();
    for byte in 0..=u8::MAX {
        conversation.extend_from_slice(b"{\"execute\":\"guest-ping\",\"id\":\"<");
        conversation.extend_from_slice(&[byte, b'>', b'"', b'}', byte, 0xFF]);
    }
    conversation.extend_from_slice(end);

    let on_socket = {
        let agent = Agent::start(&agent_under_test(), &[]);
        let client = agent.client();
        read_lines(client.stream(), &conversation, last)
    };
    let on_line = {
        let mut line = Line::new();
        let _agent = agent_on(line.device());
        line.until_taken();
        line.send(&conversation);
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line| line != last) {
            lines.push(line.line());
        }
        lines
    };
    assert!(on_socket.len() > 500, "each 0xFF is answered, and most of the requests");
    for (at, (socket, line)) in on_socket.iter().zip(&on_line).enumerate() {
        assert_eq!(String::from_utf8_lossy(line), String::from_utf8_lossy(socket), "reply {at}");
    }
    assert_eq!(on_line.len(), on_socket.len());
}

/// What comes on a socket, raw, line by line, up to `last`.
fn read_lines(stream: &std::os::unix::net::UnixStream, send: &[u8], last: &[u8]) -> Vec<Vec<u8>> {
    use std::io::{BufRead, BufReader, Write};
    let mut writer = stream.try_clone().unwrap();
    writer.write_all(send).unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(stream).split(b'\n') {
        let mut line = line.unwrap();
        line.push(b'\n');
        lines.push(line);
        if lines.last().is_some_and(|line| line == last) {
            break;
        }
    }
    lines
}

/// Longer than a terminal's line may be (4096 bytes), and than its buffers are, in both directions.
#[test]
fn much_gets_through() {
    let mut line = Line::new();
    let agent = agent_on(line.device());
    line.until_taken();
    let path = agent.scratch().join("much");
    let content = base64_simd::STANDARD.encode_to_string((0..200_000_u32).map(|at| at as u8).collect::<Vec<_>>());
    let handle = line.call("guest-file-open", json!({ "path": path.to_str(), "mode": "w+" }));
    assert_eq!(line.call("guest-file-write", json!({ "handle": handle, "buf-b64": content }))["count"], 200_000);
    line.call("guest-file-seek", json!({ "handle": handle, "offset": 0, "whence": "set" }));
    let read = line.call("guest-file-read", json!({ "handle": handle, "count": 200_000 }));
    assert!(read["buf-b64"] == content, "the file came back changed");
}

#[test]
fn a_line_that_was_hung_up_is_found_again() {
    let scratch = Scratch::new("hang-up");
    let path = scratch.join("line");
    let mut line = Line::new();
    symlink(line.device(), &path).unwrap();
    let agent = agent_on(&path);
    line.until_taken();
    assert_eq!(line.call("guest-sync", json!({ "id": 1 })), 1);

    // Nobody is there for a while; the device's number may be given to another line meanwhile, so its name goes first.
    fs::remove_file(&path).unwrap();
    drop(line);
    let ticks = Process::new(agent.pid()).ticks_at_rest(Duration::from_secs(2));
    assert!(ticks <= 3, "{ticks} ticks of processor time in 2 s of waiting for a line");

    let mut line = Line::new();
    symlink(line.device(), &path).unwrap();
    line.until_taken();
    assert_eq!(line.call("guest-sync", json!({ "id": 2 })), 2);
}

#[test]
fn half_a_request_ends_with_its_line() {
    let scratch = Scratch::new("half");
    let path = scratch.join("line");
    let mut first = Line::new();
    symlink(first.device(), &path).unwrap();
    let _agent = agent_on(&path);
    first.until_taken();
    assert_eq!(first.call("guest-ping", json!({})), json!({}));
    first.send(br#"{"execute":"guest-shutdown","arguments":{"mode":""#);

    let mut second = Line::new();
    symlink(second.device(), scratch.join("next")).unwrap();
    fs::rename(scratch.join("next"), &path).unwrap();
    drop(first);
    second.until_taken();
    assert_eq!(second.call("guest-sync", json!({ "id": 3 })), 3);
}

/// A daemon's working directory is `/`, and the path must mean the same as when it was given.
#[test]
fn a_daemon_finds_its_line_again_by_a_relative_path() {
    let daemons = Daemons::new();
    let folder = daemons.scratch();
    let mut first = Line::new();
    symlink(first.device(), folder.join("line")).unwrap();
    let mut agent = daemons.command();
    agent.current_dir(folder.path()).args(["-m", "isa-serial", "-p", "line"]);
    assert!(agent.status().unwrap().success());
    first.until_taken();
    assert_eq!(first.call("guest-ping", json!({})), json!({}));

    let mut second = Line::new();
    symlink(second.device(), folder.join("next")).unwrap();
    fs::rename(folder.join("next"), folder.join("line")).unwrap();
    drop(first);
    second.until_taken();
    assert_eq!(second.call("guest-ping", json!({})), json!({}));
}
