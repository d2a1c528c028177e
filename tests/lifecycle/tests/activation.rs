//! Socket activation: the service manager listens and passes the socket as descriptor 3 (sd_listen_fds(3)).

use bulkhead_lifecycle::{Ended, Running, agent_in, run_to_end};
use bulkhead_test_support::{Client, Scratch};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The agent with `passed` as its descriptor 3, told that `count` were passed, and a method and a path that would fail if they were used.
pub(super) fn activated(scratch: &Scratch, passed: impl Into<Stdio>, count: u32) -> Command {
    let agent = agent_in(scratch);
    let mut shell = Command::new("sh");
    // The variables name the process that they are meant for, and its id is known only from within.
    shell.args(["-c", r#"LISTEN_PID=$$ exec "$0" "$@" 3<&0 </dev/null"#]).env("LISTEN_FDS", count.to_string());
    shell.arg(agent.get_program()).args(agent.get_args());
    shell.args(["-m", "virtio-serial", "-p", "/nonexistent"]).stdin(passed);
    shell
}

#[test]
fn clients_of_a_passed_socket_are_served() {
    let scratch = Scratch::new("activation");
    let path = scratch.join("passed");
    let listener = UnixListener::bind(&path).unwrap();
    // This client comes before there is an agent: it is the reason that one is started.
    let mut early = Client::connect(&path);
    early.send(br#"{"execute":"guest-ping"}"#);
    let _agent = Running(activated(&scratch, OwnedFd::from(listener), 1).spawn().unwrap());
    assert_eq!(early.reply().ok(), json!({}));
    drop(early);
    assert_eq!(Client::connect(&path).call("guest-ping", Value::Null).ok(), json!({}));
}

/// Asserts that the agent does not start with `passed` as its descriptor 3.
fn refuses(what: &str, passed: impl Into<Stdio>) {
    let scratch = Scratch::new("refused");
    let Ended { status, output } = run_to_end(&mut activated(&scratch, passed, 1), &scratch);
    assert_eq!(status.code(), Some(1), "{what}: {output}");
    assert!(output.contains("unsupported listen fd type"), "{what}: {output}");
}

#[test]
fn what_is_no_local_socket_is_refused() {
    let scratch = Scratch::new("no-socket");
    let (pipe, _writer) = std::io::pipe().unwrap();
    refuses("a pipe", pipe);
    refuses("a file", std::fs::File::create(scratch.join("file")).unwrap());
    refuses("a socket that anybody can reach", OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap()));
}

/// An agent with one of these would never have a client.
#[test]
fn a_local_socket_that_does_not_listen_is_refused() {
    let (datagram, _peer) = UnixDatagram::pair().unwrap();
    refuses("a datagram socket", OwnedFd::from(datagram));
    let (connected, _peer) = UnixStream::pair().unwrap();
    refuses("a connected socket", OwnedFd::from(connected));
}

/// The agent listens on one socket; which of two was meant is for the owner to say.
#[test]
fn more_than_one_socket_is_refused() {
    let scratch = Scratch::new("two-sockets");
    let listener = UnixListener::bind(scratch.join("passed")).unwrap();
    let ended = run_to_end(&mut activated(&scratch, OwnedFd::from(listener), 2), &scratch);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.output);
    assert!(ended.output.contains("2 sockets were passed"), "{}", ended.output);
}

#[test]
fn variables_meant_for_another_process_are_not_heeded() {
    let scratch = Scratch::new("other-process");
    let mut agent = agent_in(&scratch);
    agent.args(["-m", "unix-listen", "-p"]).arg(scratch.join("socket"));
    agent.env("LISTEN_PID", "1").env("LISTEN_FDS", "1");
    let _agent = Running(agent.spawn().unwrap());
    let mut client = Client::connect(&scratch.join("socket"));
    client.patience = Duration::from_secs(5);
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
}
