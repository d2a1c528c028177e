//! `bulkhead status` and `policy show` ask the agent that runs: what it has in force, and what has changed since.

use bulkhead_lifecycle::{Ended, Process, frozen_scratch, run_to_end, soon};
use bulkhead_test_support::{Agent, Scratch, agent_under_test, tools};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A tool, with a configuration file that names this state directory.
fn tool(statedir: &Path, words: &[&str]) -> Ended {
    let scratch = Scratch::new("tool");
    let configuration = scratch.file("qemu-ga.conf", &format!("[general]\nstatedir={}\n", statedir.display()));
    let mut tool = Command::new(tools());
    run_to_end(tool.args(words).env("QGA_CONF", configuration), &scratch)
}

fn said(agent: &Agent, words: &[&str]) -> String {
    let ended = tool(agent.scratch().path(), words);
    assert_eq!(ended.status.code(), Some(0), "{words:?}: {}", ended.output);
    ended.output
}

fn json(agent: &Agent) -> Value {
    serde_json::from_str(&said(agent, &["status", "--json"])).unwrap()
}

/// Who checks whether a drop-in is closed must not read `standard`.
#[test]
fn a_drop_in_without_a_policy_is_told_to_allow_all() {
    if Path::new("/etc/bulkhead/policy.toml").exists() {
        println!("skipped: this machine has a policy");
        return;
    }
    let agent = Agent::start(&agent_under_test(), &["-b", "guest-exec,guest-get-users"]);
    agent.client().call("guest-ping", Value::Null).ok();
    let status = said(&agent, &["status"]);
    assert!(status.contains("\nstarted as: qemu-ga\npolicy: profile full, no file\n"), "{status}");
    assert!(!status.contains("policy.toml"), "{status}");
    assert!(status.contains("\nblock-rpcs: guest-get-users, guest-exec\n"), "{status}");
    let show = said(&agent, &["policy", "show"]);
    let speaks_of = format!("# in force in the agent that runs, process {}, which serves as qemu-ga\n", agent.pid());
    assert!(show.starts_with(&speaks_of) && show.contains("\nprofile = \"full\"\n"), "{show}");
    let asked = said(&agent, &["policy", "show", "--as", "bulkhead"]);
    assert!(asked.starts_with("# what an agent would have in force that starts as bulkhead-agent\n"), "{asked}");
    assert!(asked.contains("\nprofile = \"standard\"\n"), "{asked}");
    let explained =
        said(&agent, &["policy", "explain", r#"{"execute":"guest-exec","arguments":{"path":"/bin/true"}}"#]);
    assert!(explained.contains("allow") && !explained.contains("standard"), "{explained}");
}

#[test]
fn without_an_agent_show_says_so() {
    let scratch = Scratch::new("nobody");
    let ended = tool(scratch.path(), &["policy", "show"]);
    let expected = "# no agent can be seen to run; what an agent would have in force that starts as bulkhead-agent\n";
    assert!(ended.output.starts_with(expected), "{}", ended.output);
}

#[test]
fn a_file_that_was_edited_and_not_read_again_is_told_of() {
    let scratch = Scratch::new("edited");
    let file = scratch.file("policy.toml", "version = 1\nprofile = \"report\"\n");
    let agent = Agent::start_in(scratch, &agent_under_test(), &["--policy", file.to_str().unwrap()], &[]);
    agent.client().call("guest-ping", Value::Null).ok();
    let status = said(&agent, &["status"]);
    let policy = format!("\npolicy: {}, on top of profile report\n", file.display());
    assert!(status.contains(&policy) && !status.contains("CHANGED"), "{status}");
    fs::write(&file, "version = 1\nprofile = \"minimal\"\n").unwrap();
    let status = said(&agent, &["status"]);
    let changed = format!("  CHANGED since: {}; to put it in force: bulkhead policy reload\n", file.display());
    assert!(status.contains(&changed), "{status}");
    assert_eq!(json(&agent)["policy"]["changed"], true);
    let show = said(&agent, &["policy", "show"]);
    assert!(show.starts_with("# NOT in force: the files have changed since the agent that runs"), "{show}");
    Process::new(agent.pid()).signal(Signal::SIGHUP);
    soon("it is in force", || json(&agent)["policy"]["profile"] == "minimal");
    assert_eq!(json(&agent)["policy"]["changed"], false);
    assert!(said(&agent, &["policy", "show"]).starts_with("# in force in the agent that runs"));
}

#[test]
fn figures_are_those_of_the_moment_and_cost_no_writing_before() {
    let agent = Agent::start(&agent_under_test(), &["-b", "guest-get-users"]);
    let mut client = agent.client();
    client.call("guest-ping", Value::Null).ok();
    let file = agent.scratch().join("bulkhead.run");
    let before = fs::read_to_string(&file).unwrap();
    for _ in 0..10 {
        client.call("guest-ping", Value::Null).ok();
        client.call("guest-get-users", Value::Null).desc();
    }
    client.call("guest-no-such", Value::Null).desc();
    client.send(b"{]");
    client.reply().desc();
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    let figures = json(&agent)["figures"].clone();
    assert_eq!((&figures["requests"], &figures["refused"]), (&json!(22), &json!(11)), "{figures}");
    assert!(figures["rejected"].as_u64().unwrap() >= 1 && figures["audit"].is_null(), "{figures}");
    client.call("guest-ping", Value::Null).ok();
    assert_eq!(json(&agent)["figures"]["requests"], 23);
}

#[test]
fn a_frozen_agent_is_told_of_and_writes_nothing() {
    let agent = Agent::start_in(frozen_scratch(), &agent_under_test(), &[], &[]);
    let mut client = agent.client();
    client.call("guest-fsfreeze-thaw", Value::Null).ok();
    assert_eq!(json(&agent)["agent"]["frozen"], false);
    // As after a freeze: nothing here freezes a file system.
    fs::write(agent.scratch().join("qga.state.isfrozen"), "").unwrap();
    let status = said(&agent, &["status"]);
    assert!(status.contains("\n  file systems are frozen\n"), "{status}");
}
