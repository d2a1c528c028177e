//! What an agent finds when it starts: its state directory, its lists, its configuration file.

use bulkhead_lifecycle::{Process, frozen_scratch, refused, warnings, within};
use bulkhead_test_support::{Agent, Client, Scratch, agent_under_test};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const OPEN: &str = "guest-file-open";

fn open(client: &mut Client) -> i64 {
    client.call(OPEN, json!({ "path": "/dev/null" })).ok().as_i64().expect("a handle is a number")
}

fn disabled(command: &str) -> String {
    format!("Command {command} has been disabled: the command is not allowed")
}

/// The commands that guest-info calls enabled.
fn enabled(client: &mut Client) -> Vec<String> {
    let info = client.call("guest-info", Value::Null).ok();
    let commands = info["supported_commands"].as_array().expect("guest-info lists commands").iter();
    let enabled = commands.filter(|command| command["enabled"] == true);
    enabled.map(|command| command["name"].as_str().expect("a command has a name").to_owned()).collect()
}

#[test]
fn handles_go_on_after_a_crash() {
    let mut scratch = Scratch::new("handles");
    let mut last = 999;
    for _ in 0..3 {
        let agent = Agent::start_in(scratch, &agent_under_test(), &[], &[]);
        let mut client = agent.client();
        for _ in 0..2 {
            let handle = open(&mut client);
            assert!(handle > last, "a number is never given twice: {handle} after {last}");
            last = handle;
        }
        scratch = agent.kill();
    }
    let agent = Agent::start_in(scratch, &agent_under_test(), &[], &[]);
    let reply = agent.client().call("guest-file-close", json!({ "handle": last }));
    assert_eq!(reply.desc(), format!("handle '{last}' has not been found"), "the file itself went with its agent");
}

#[test]
fn a_clean_end_skips_no_handle() {
    let mut agent = Agent::start(&agent_under_test(), &[]);
    assert_eq!(open(&mut agent.client()), 1000);
    Process::new(agent.pid()).signal(Signal::SIGTERM);
    assert!(within(Duration::from_secs(10), agent.child()).success());
    let agent = Agent::start_in(agent.kill(), &agent_under_test(), &[], &[]);
    assert_eq!(open(&mut agent.client()), 1001);
}

#[test]
fn a_handle_outlives_its_client() {
    let agent = Agent::start(&agent_under_test(), &[]);
    let handle = open(&mut agent.client());
    assert_eq!(agent.client().call("guest-file-close", json!({ "handle": handle })).ok(), json!({}));
}

/// What a loss of power leaves. qemu-ga does not start again, or, after an empty file, gives old numbers to new files.
#[test]
fn a_broken_state_file_does_not_keep_the_agent_from_starting() {
    for text in ["", "\0\0\0\0", "[global]\nfd_counter=many\n", "[global]\nfd_counter=-1\n"] {
        let scratch = Scratch::new("broken-state");
        let file = scratch.join("qga.state");
        fs::write(&file, text).unwrap();
        let agent = Agent::start_in(scratch, &agent_under_test(), &[], &[]);
        let first = open(&mut agent.client());
        assert!(first >= 1 << 40, "{first} may have been given before");
        let log = agent.log();
        assert_eq!(warnings(&log).len(), 1, "{log}");
        assert!(log.contains(file.to_str().unwrap()) && log.contains(&format!("go on from {first}")), "{log}");
        let agent = Agent::start_in(agent.kill(), &agent_under_test(), &[], &[]);
        assert_eq!(open(&mut agent.client()), first + 1000, "the file is whole again");
        assert_eq!(warnings(&agent.log()), warnings(&log), "and nothing more is to be said");
    }
}

/// Nobody can make a file in /sys, root neither. Nothing is frozen here: that it cannot be, a transcript shows.
#[test]
fn a_state_directory_that_cannot_be_written_is_a_warning() {
    let handles: Vec<i64> = (0..2)
        .flat_map(|_| {
            let agent = Agent::start(&agent_under_test(), &["-t", "/sys/kernel"]);
            let mut client = agent.client();
            let handles = [open(&mut client), open(&mut client)];
            assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "thawed");
            let log = agent.log();
            assert_eq!(warnings(&log).len(), 1, "{log}");
            assert!(log.contains("warning: the state directory /sys/kernel cannot be written ("), "{log}");
            handles
        })
        .collect();
    assert!(handles.is_sorted_by(|one, next| one < next), "no number is given twice: {handles:?}");
}

#[test]
fn a_state_directory_that_does_not_exist_is_an_error() {
    let scratch = Scratch::new("no-state");
    let (folder, socket) = (scratch.join("none"), scratch.join("socket"));
    let words = ["-m", "unix-listen", "-p", socket.to_str().unwrap(), "-t", folder.to_str().unwrap()];
    let said = refused(&scratch, &words);
    assert!(said.contains("does the state directory exist?"), "{said}");
    assert!(!socket.exists(), "a start that fails leaves nothing behind");
}

/// A backup that was made while frozen, restored: its kernel is another one.
#[test]
fn a_frozen_flag_of_another_boot_does_not_count() {
    let scratch = Scratch::new("restored");
    let flag = scratch.join("qga.state.isfrozen");
    fs::write(&flag, "00000000-0000-4000-8000-000000000000\n").unwrap();
    let agent = Agent::start_in(scratch, &agent_under_test(), &[], &[]);
    assert_eq!(open(&mut agent.client()), 1000);
    assert!(!flag.exists() && agent.log().contains("is of an earlier boot"), "{}", agent.log());
}

#[test]
fn an_agent_that_starts_frozen_only_does_what_helps_to_thaw() {
    let agent = Agent::start_in(frozen_scratch(), &agent_under_test(), &["-b", "guest-ping"], &[]);
    let mut client = agent.client();
    let allowed = [
        "guest-fsfreeze-status",
        "guest-fsfreeze-thaw",
        "guest-info",
        "guest-ping",
        "guest-sync",
        "guest-sync-delimited",
    ];
    let mut listed = enabled(&mut client);
    listed.sort();
    assert_eq!(listed, allowed, "whatever the lists say");
    assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "frozen");
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
    assert_eq!(client.call("guest-sync", json!({ "id": 1 })).ok(), 1);
    for command in [OPEN, "guest-shutdown", "guest-fstrim"] {
        let reply = client.call(command, Value::Null);
        assert_eq!((reply.class(), reply.desc()), ("CommandNotFound", disabled(command).as_str()));
    }
    assert!(!agent.scratch().join("qga.state").exists(), "nothing is written while frozen");

    assert_eq!(client.call("guest-fsfreeze-thaw", Value::Null).ok(), 0);
    assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "thawed");
    assert!(!agent.scratch().join("qga.state.isfrozen").exists());
    assert_eq!(open(&mut client), 1000);
    assert_eq!(client.call("guest-ping", Value::Null).desc(), disabled("guest-ping"), "the lists are in force again");
}

#[test]
fn no_log_is_written_while_frozen() {
    let scratch = frozen_scratch();
    let log = scratch.join("agent.log");
    // A line for the log before anything else: the old key is worth a warning.
    let settings = scratch.join("settings");
    fs::write(&settings, "[general]\nblacklist=guest-get-devices\n").unwrap();
    let arguments = ["-v", "-l", log.to_str().unwrap(), "-c", settings.to_str().unwrap()];
    let agent = Agent::start_in(scratch, &agent_under_test(), &arguments, &[]);
    let mut client = agent.client();
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
    assert_eq!(client.call(OPEN, Value::Null).desc(), disabled(OPEN));
    assert!(!log.exists());
    assert_eq!(agent.log(), "");
    assert_eq!(client.call("guest-fsfreeze-thaw", Value::Null).ok(), 0);
    let said = fs::read_to_string(&log).unwrap();
    for word in ["blacklist", "guest-ping", OPEN] {
        assert!(said.contains(word), "what happened meanwhile is written then: {said}");
    }
}

#[test]
fn a_block_list_takes_commands_away() {
    let agent = Agent::start(&agent_under_test(), &["-b", "guest-file-open,guest-get-devices", "-b", "guest-shutdown"]);
    let mut client = agent.client();
    for command in [OPEN, "guest-shutdown"] {
        let reply = client.call(command, json!({ "no such": "argument" }));
        assert_eq!((reply.class(), reply.desc()), ("CommandNotFound", disabled(command).as_str()));
        assert!(!enabled(&mut client).contains(&command.to_owned()));
    }
    assert_eq!(client.call("guest-file-close", json!({ "handle": 1 })).desc(), "handle '1' has not been found");
    assert_eq!(
        client.call("guest-get-devices", Value::Null).desc(),
        "The command guest-get-devices has not been found",
        "to block a command does not make it known"
    );
}

#[test]
fn an_allow_list_gives_only_what_it_names_and_a_block_list_beats_it() {
    let lists = ["-a", "guest-info,guest-ping,guest-sync", "-b", "guest-sync"];
    let agent = Agent::start(&agent_under_test(), &lists);
    let mut client = agent.client();
    let mut listed = enabled(&mut client);
    listed.sort();
    assert_eq!(listed, ["guest-info", "guest-ping"]);
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
    for command in ["guest-sync", OPEN] {
        assert_eq!(client.call(command, Value::Null).desc(), disabled(command));
    }
}

/// qemu-ga has ignored the old name silently since 9.1: an upgrade opened what the owner had closed.
#[test]
fn an_old_blacklist_is_honoured_and_reported() {
    let scratch = Scratch::new("blacklist");
    let file = scratch.join("agent.conf");
    fs::write(&file, "[general]\nblacklist=guest-file-open,guest-file-read\n").unwrap();
    let agent = Agent::start_in(scratch, &agent_under_test(), &["-c", file.to_str().unwrap()], &[]);
    let mut client = agent.client();
    assert_eq!(client.call(OPEN, Value::Null).desc(), disabled(OPEN));
    assert_eq!(client.call("guest-file-read", Value::Null).desc(), disabled("guest-file-read"));
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
    let log = agent.log();
    assert!(log.contains("warning") && log.contains("blacklist") && log.contains("block-rpcs"), "{log}");
}

#[test]
fn a_named_configuration_file_must_be_there() {
    let scratch = Scratch::new("no-file");
    let file = scratch.join("agent.conf");
    let said = refused(&scratch, &["-c", file.to_str().unwrap()]);
    assert!(said.contains(&format!("error loading configuration from path: {}", file.display())), "{said}");
}
