//! `unix-listen`: requests however they are cut, one client after the other, and sockets left behind.

use bulkhead_lifecycle::refused;
use bulkhead_test_support::{Agent, Client, Scratch, agent_under_test};
use serde_json::{Value, json};
use std::io::Write;
use std::net::Shutdown;
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

fn sync(id: i64) -> String {
    format!(r#"{{"execute":"guest-sync","arguments":{{"id":{id}}}}}"#)
}

#[test]
fn many_requests_in_one_write() {
    let agent = agent();
    let mut client = served(&agent);
    let requests: String = (0..100).map(sync).collect();
    client.send(requests.as_bytes());
    for id in 0..100 {
        assert_eq!(client.reply().ok(), id);
    }
}

#[test]
fn one_request_byte_by_byte() {
    let agent = agent();
    let mut client = served(&agent);
    for byte in sync(i64::MIN).into_bytes() {
        client.send(&[byte]);
        std::thread::sleep(Duration::from_micros(500));
    }
    assert_eq!(client.reply().ok(), i64::MIN);
}

#[test]
fn one_large_request_in_many_writes() {
    let agent = agent();
    let mut client = served(&agent);
    let id = "x".repeat(3_000_000);
    let request = format!(r#"{{"execute":"guest-ping","id":"{id}"}}"#);
    for piece in request.as_bytes().chunks(7_777) {
        client.send(piece);
    }
    assert_eq!(client.reply().value, json!({ "return": {}, "id": id }));
}

#[test]
fn a_second_client_waits_until_the_first_has_left() {
    let agent = agent();
    let mut first = served(&agent);
    let mut second = agent.client();
    second.send(PING.as_bytes());
    assert_eq!(second.try_reply(Duration::from_millis(300)), None, "one client is served at a time");
    assert_eq!(first.call("guest-ping", Value::Null).ok(), json!({}), "and it is the first one");
    drop(first);
    assert_eq!(second.reply().ok(), json!({}));
}

/// A socket tells at once that its client has left: there is nothing to wait for.
#[test]
fn a_client_that_leaves_at_once_does_not_hold_up_the_next() {
    let agent = agent();
    served(&agent);
    let begin = Instant::now();
    for _ in 0..10 {
        agent.client().send(PING.as_bytes());
        agent.client().send(br#"{"execute":"#);
    }
    served(&agent);
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
}

#[test]
fn half_a_request_is_not_completed_by_the_next_client() {
    let agent = agent();
    let mut first = served(&agent);
    first.send(br#"{"execute":"guest-shutdown","arguments":{"mode":""#);
    drop(first);
    let mut second = agent.client();
    second.send(format!(r#"reboot"}}}}{PING}"#).as_bytes());
    assert!(second.reply().desc().starts_with("1:"), "it is read from its own beginning");
    // Whatever the rest of the broken line did to the reader, 0xFF begins afresh.
    second.send(b"\xFF{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":5}}");
    let reply = std::iter::from_fn(|| Some(second.reply())).find(|reply| reply.sentinel);
    assert_eq!(reply.map(|reply| reply.ok()), Some(json!(5)));
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_write_is_forgotten() {
    let agent = agent();
    let mut client = served(&agent);
    client.send(br#"{"execute":"guest-ping","id":""#);
    let _ = client.stream().write(&[b'x'; 1 << 20]);
    client.stream().shutdown(Shutdown::Both).unwrap();
    drop(client);
    served(&agent);
}

#[test]
fn a_half_closed_client_still_gets_its_replies() {
    let agent = agent();
    let mut client = served(&agent);
    client.send(format!("{PING}{}", sync(1)).as_bytes());
    client.stream().shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.reply().ok(), json!({}));
    assert_eq!(client.reply().ok(), 1);
    assert_eq!(client.try_reply(Duration::from_secs(10)), None, "then the agent leaves, too");
}

#[test]
fn a_socket_left_behind_is_replaced() {
    let agent = agent();
    served(&agent);
    let scratch = agent.kill();
    assert!(scratch.join("socket").exists(), "the agent was killed: nobody has removed it");
    served(&Agent::start_in(scratch, &agent_under_test(), &[], &[]));
}

#[test]
fn a_file_in_the_sockets_place_is_not_deleted() {
    let scratch = Scratch::new("no-socket");
    let path = scratch.join("socket");
    std::fs::write(&path, "precious").unwrap();
    let path_text = path.to_str().unwrap();
    let said = refused(&scratch, &["-m", "unix-listen", "-p", path_text]);
    assert!(said.contains(&format!("failed to bind socket to {path_text}")), "{said}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn without_a_path_there_is_nothing_to_listen_on() {
    let said = refused(&Scratch::new("no-path"), &["-m", "unix-listen"]);
    assert!(said.contains("must specify a path for this channel"), "{said}");
}
