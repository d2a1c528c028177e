//! `-d`: the agent as a daemon, its pid file and its log.

use bulkhead_lifecycle::{Daemons, frozen_scratch, soon};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[test]
fn it_serves_when_its_parent_has_exited() {
    let daemons = Daemons::new();
    let process = daemons.started(&[]);
    let stream = std::os::unix::net::UnixStream::connect(daemons.scratch().join("socket"));
    assert!(stream.is_ok(), "the socket is there by then: {stream:?}");
    drop(stream);
    daemons.are_only(process);
    assert_eq!(daemons.pid_file().metadata().unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn it_leaves_the_terminal_and_the_working_directory() {
    let daemons = Daemons::new();
    let process = daemons.started(&[]);
    let link = |name: &str| fs::read_link(format!("/proc/{}/{name}", process.pid())).unwrap();
    assert_eq!(link("cwd"), Path::new("/"));
    for stream in ["fd/0", "fd/1", "fd/2"] {
        assert_eq!(link(stream), Path::new("/dev/null"), "{stream}");
    }
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.pid())).unwrap();
    let session = stat.rsplit_once(") ").and_then(|(_, fields)| fields.split(' ').nth(3)).unwrap();
    assert_eq!(session, process.pid().to_string(), "it leads a session of its own");
}

/// The service manager may stop it as soon as it knows that it runs.
#[test]
fn it_can_be_stopped_from_the_first_moment() {
    for turn in 0..50 {
        let daemons = Daemons::new();
        let process = daemons.started(&[]);
        process.signal(Signal::SIGTERM);
        soon("the daemon has ended", || process.is_gone());
        assert!(!daemons.pid_file().exists(), "turn {turn}: it was killed by the signal and has left its pid file");
    }
}

#[test]
fn its_pid_file_goes_with_it() {
    let daemons = Daemons::new();
    let process = daemons.started(&[]);
    daemons.are_only(process);
    process.signal(Signal::SIGTERM);
    soon("the daemon has ended", || process.is_gone());
    assert!(!daemons.pid_file().exists());
    daemons.started(&[]);
}

#[test]
fn the_pid_file_of_a_killed_daemon_is_taken_over() {
    let daemons = Daemons::new();
    let first = daemons.started(&[]);
    first.signal(Signal::SIGKILL);
    soon("the daemon is dead", || first.is_gone());
    assert!(daemons.pid_file().exists());
    let second = daemons.started(&[]);
    daemons.are_only(second);
}

#[test]
fn a_second_one_with_the_same_pid_file_is_refused() {
    let daemons = Daemons::new();
    let first = daemons.started(&[]);
    let other_socket = daemons.scratch().join("other-socket");
    let said = daemons.refused(&["-p", other_socket.to_str().unwrap()]);
    let expected = format!("another agent is running (pid {})", first.pid());
    assert!(said.contains(&expected), "{said}");
    daemons.are_only(first);
}

/// The commonest mistake: the same command line once more.
#[test]
fn a_second_one_in_the_same_place_does_not_take_the_channel_away() {
    let daemons = Daemons::new();
    let first = daemons.started(&[]);
    daemons.refused(&[]);
    daemons.are_only(first);
}

/// (qemu-ga deletes the running agent's pid file in all these cases.)
#[test]
fn a_start_that_fails_leaves_the_running_agent_alone() {
    let daemons = Daemons::new();
    let first = daemons.started(&[]);
    for (extra, reason) in [
        (["-p", "/nonexistent/socket"], "failed to bind socket to /nonexistent/socket: No such file or directory"),
        (["-t", "/nonexistent"], "cannot write the state file /nonexistent/qga.state"),
        (["-m", "isa-serial"], "error opening channel"),
        (["-m", "morse"], "unsupported channel method/type: morse"),
    ] {
        let said = daemons.refused(&extra);
        assert!(said.contains(reason), "{extra:?}: {said}");
        daemons.are_only(first);
    }
}

#[test]
fn a_look_at_the_configuration_leaves_the_running_agent_alone() {
    let daemons = Daemons::new();
    let first = daemons.started(&[]);
    let ended = daemons.start(&["-D"]);
    assert!(ended.status.success() && ended.output.contains("daemon=true"), "{ended:?}");
    daemons.are_only(first);
}

#[test]
fn a_pid_file_that_cannot_be_made_is_a_failed_start() {
    let daemons = Daemons::new();
    let said = daemons.refused(&["-f", "/nonexistent/pid"]);
    assert!(said.contains("cannot open pid file /nonexistent/pid: No such file or directory"), "{said}");
    assert!(daemons.running().is_empty());
}

/// The pid file may lie on a disk that is frozen, so it comes when everything is thawed.
#[test]
fn one_that_starts_frozen_makes_its_pid_file_after_the_thaw() {
    let daemons = Daemons::in_scratch(frozen_scratch());
    let ended = daemons.start(&[]);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.output);
    let mut client = daemons.client();
    assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "frozen");
    assert!(!daemons.pid_file().exists());
    assert_eq!(client.call("guest-fsfreeze-thaw", Value::Null).ok(), 0);
    // The client stays: on a virtio port it does so for hours.
    soon("there is a pid file", || fs::read_to_string(daemons.pid_file()).is_ok_and(|text| text.ends_with('\n')));
    drop(client);
    daemons.are_only(daemons.running()[0]);
}
