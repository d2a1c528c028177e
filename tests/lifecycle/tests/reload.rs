//! The policy is replaced while the agent runs: by SIGHUP or `bulkhead policy reload`, whole or not at all.

use bulkhead_lifecycle::{Ended, Process, frozen_scratch, run_to_end, script, soon, within};
use bulkhead_test_support::{Agent, Client, Scratch, agent_named, agent_under_test, tools};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PING: &str = "guest-ping";
const HOST: &str = "guest-get-host-name";

/// Lets a client ask for the host's name, or not.
const REPORT: &str = "version = 1\nprofile = \"report\"\n";
const MINIMAL: &str = "version = 1\nprofile = \"minimal\"\n";
const BAD: &str = "version = 1\nprofile = \"maximal\"\n";

fn policy(scratch: &Scratch) -> PathBuf {
    scratch.join("policy.toml")
}

fn agent(scratch: Scratch, first: &str, extra: &[&str]) -> Agent {
    let file = policy(&scratch);
    fs::write(&file, first).unwrap();
    let arguments: Vec<&str> = ["--policy", file.to_str().unwrap()].into_iter().chain(extra.iter().copied()).collect();
    Agent::start_in(scratch, &agent_under_test(), &arguments, &[])
}

fn started(first: &str) -> Agent {
    agent(Scratch::new("reload"), first, &[])
}

fn allows(client: &mut Client, command: &str) -> bool {
    client.call(command, Value::Null).value.get("return").is_some()
}

/// Replaces the policy's file as an editor does, and sends the signal.
fn replace(agent: &Agent, text: &str) {
    let (file, part) = (policy(agent.scratch()), agent.scratch().join("part"));
    fs::write(&part, text).unwrap();
    fs::rename(part, file).unwrap();
    Process::new(agent.pid()).signal(Signal::SIGHUP);
}

/// `bulkhead policy reload` for the agent of `statedir`.
fn reload(statedir: &Path, extra: &[&str]) -> Ended {
    let scratch = Scratch::new("tool");
    let mut tool = Command::new(tools());
    run_to_end(tool.args(["policy", "reload", "--statedir"]).arg(statedir).args(extra), &scratch)
}

#[test]
fn a_good_policy_takes_the_place_of_the_old_one() {
    let agent = started(MINIMAL);
    let mut client = agent.client();
    assert!(!allows(&mut client, HOST));
    replace(&agent, REPORT);
    soon("the log says so", || agent.log().contains("the policy was replaced: "));
    assert!(allows(&mut client, HOST), "for a client that was there before, too");
    replace(&agent, MINIMAL);
    soon("and once more", || agent.log().matches("the policy was replaced: ").count() == 2);
    assert!(!allows(&mut client, HOST));
    let log = agent.log();
    let is_hex = |word: &&str| word.len() == 12 && word.chars().all(|digit| digit.is_ascii_hexdigit());
    let digests: Vec<&str> = log.split([' ', '(', ')', ',', '\n']).filter(is_hex).collect();
    assert_eq!((digests.len(), digests[0] == digests[3], digests[1] == digests[2]), (4, true, true), "{log}");
    let line = log.lines().find(|line| line.contains("replaced")).unwrap();
    let file = policy(agent.scratch());
    assert!(
        line.contains(&format!(": notice: the policy was replaced: {}, on top of profile report (", file.display())),
        "{line}"
    );
}

#[test]
fn a_bad_policy_changes_nothing() {
    let agent = started(REPORT);
    let mut client = agent.client();
    for (round, text) in [BAD, "version = 2\n", "\u{0}", ""].into_iter().enumerate() {
        replace(&agent, text);
        soon("the log says why", || agent.log().matches("the policy is not replaced").count() == round + 1);
        assert!(allows(&mut client, HOST));
    }
    fs::remove_file(policy(agent.scratch())).unwrap();
    Process::new(agent.pid()).signal(Signal::SIGHUP);
    soon("no policy is no good policy", || agent.log().matches("the policy is not replaced").count() == 5);
    assert!(allows(&mut client, HOST));
    assert!(agent.log().contains("policy.toml:2:11: there is no profile 'maximal'"), "{}", agent.log());
}

/// The default policy lets a client write any file. That alone changes nothing: only the owner says when it is read.
#[test]
fn what_is_written_to_the_file_counts_only_when_the_owner_says_so() {
    let agent = started(REPORT);
    assert!(allows(&mut agent.client(), HOST));
    fs::write(policy(agent.scratch()), MINIMAL).unwrap();
    for _ in 0..20 {
        assert!(allows(&mut agent.client(), HOST));
    }
}

#[test]
fn a_request_ends_under_the_policy_with_which_it_began() {
    let scratch = Scratch::new("in-flight");
    let (hook, begun) = (scratch.join("hook"), scratch.join("begun"));
    script(&hook, &format!("touch {}; sleep 1", begun.display()));
    let option = format!("--fsfreeze-hook={}", hook.display());
    let agent = agent(scratch, "version = 1\nprofile = \"backup\"\n", &[&option]);
    let mut client = agent.client();
    let request = json!({ "mountpoints": ["/no such mount point"] });
    let line = json!({ "execute": "guest-fsfreeze-freeze-list", "arguments": request });
    client.send(format!("{line}\n").as_bytes());
    soon("the hook runs", || begun.exists());
    replace(&agent, MINIMAL);
    assert_eq!(client.reply().ok(), 0, "the mount table is read after the hook, which the new policy would deny");
    soon("then the policy is replaced", || agent.log().contains("the policy was replaced: "));
    assert!(client.call("guest-fsfreeze-freeze-list", request).desc().contains("has been disabled"));
}

#[test]
fn while_frozen_it_waits_for_the_thaw() {
    let agent = agent(frozen_scratch(), MINIMAL, &[]);
    let mut client = agent.client();
    assert!(allows(&mut client, PING));
    for text in [BAD, REPORT] {
        replace(&agent, text);
        std::thread::sleep(Duration::from_millis(200));
        assert!(allows(&mut client, PING));
    }
    assert!(!agent.scratch().join("bulkhead.run").exists(), "nothing is written while frozen");
    let ended = reload(agent.scratch().path(), &[]);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.output);
    assert!(ended.output.contains("file systems were frozen"), "{}", ended.output);
    assert_eq!(agent.log(), "");
    // `backup` was not in force: this is the thaw that is never denied.
    assert_eq!(client.call("guest-fsfreeze-thaw", Value::Null).ok(), 0);
    soon("then it is read", || agent.log().contains("the policy was replaced: "));
    assert!(agent.log().contains("while file systems are frozen: when they are thawed"), "{}", agent.log());
    assert!(allows(&mut client, HOST));
}

#[test]
fn the_log_is_begun_anew_for_whoever_rotates_it() {
    let scratch = Scratch::new("rotation");
    let (log, moved) = (scratch.join("agent.log"), scratch.join("agent.log.1"));
    let agent = agent(scratch, MINIMAL, &["-v", "-l", log.to_str().unwrap()]);
    assert!(allows(&mut agent.client(), PING));
    fs::rename(&log, &moved).unwrap();
    Process::new(agent.pid()).signal(Signal::SIGHUP);
    soon("a new file is there", || log.exists());
    soon("and has what comes", || fs::read_to_string(&log).is_ok_and(|log| log.contains("the policy was read again")));
    assert!(fs::read_to_string(&moved).unwrap().contains(PING));
}

#[test]
fn the_tool_waits_until_the_policy_is_in_force() {
    let agent = started(MINIMAL);
    let statedir = agent.scratch().path();
    let mut client = agent.client();
    assert!(!allows(&mut client, HOST));
    fs::write(policy(agent.scratch()), REPORT).unwrap();
    let ended = reload(statedir, &[]);
    assert_eq!((ended.status.code(), ended.output.starts_with("in force: ")), (Some(0), true), "{}", ended.output);
    assert!(allows(&mut client, HOST));
    let ended = reload(statedir, &["--policy", policy(agent.scratch()).to_str().unwrap()]);
    assert!(ended.status.success() && ended.output.ends_with(" (as before)\n"), "{}", ended.output);

    let ended = reload(statedir, &["--policy", "/etc/other.toml"]);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.output);
    assert!(ended.output.contains("/etc/other.toml"), "{}", ended.output);
}

#[test]
fn the_tool_does_not_even_tell_the_agent_of_a_bad_policy() {
    let agent = started(REPORT);
    assert!(allows(&mut agent.client(), HOST));
    fs::write(policy(agent.scratch()), BAD).unwrap();
    let ended = reload(agent.scratch().path(), &[]);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.output);
    assert!(ended.output.contains("stays in force") && ended.output.contains("policy.toml:2:11"), "{}", ended.output);
    assert!(allows(&mut agent.client(), HOST));
    assert!(!agent.log().contains("not replaced"), "{}", agent.log());
}

#[test]
fn the_tool_finds_the_agent_that_runs_and_no_other() {
    let mut agent = started(MINIMAL);
    assert!(allows(&mut agent.client(), PING));
    let file = agent.scratch().join("bulkhead.run");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(&format!("\npid={}\n", agent.pid())), "{text}");
    Process::new(agent.pid()).signal(Signal::SIGTERM);
    assert_eq!(within(Duration::from_secs(5), agent.child()).code(), Some(0));
    assert!(!file.exists(), "it is gone with its agent");
    // Left behind by an agent that was killed, with the number of somebody who has nothing to do with it.
    let mut bystander = Command::new("sleep").arg("60").spawn().unwrap();
    fs::write(&file, text.replace(&agent.pid().to_string(), &bystander.id().to_string())).unwrap();
    let ended = reload(agent.scratch().path(), &[]);
    let alive = bystander.try_wait().unwrap().is_none();
    bystander.kill().unwrap();
    bystander.wait().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.output);
    assert!(ended.output.contains("no agent runs with the state directory") && alive, "{}", ended.output);
}

/// qemu-ga does not mind a second one either.
#[test]
fn two_agents_may_share_a_state_directory() {
    let first = started(MINIMAL);
    assert!(allows(&mut first.client(), PING));
    let scratch = Scratch::new("second");
    let statedir = first.scratch().path().to_str().unwrap();
    let second = agent(scratch, MINIMAL, &["-t", statedir]);
    assert!(allows(&mut second.client(), PING));
    let warning = format!("another agent is running (pid {})", first.pid());
    assert!(second.log().contains(&warning), "{}", second.log());
    assert!(reload(first.scratch().path(), &[]).status.success());
}

/// To qemu-ga these words are nothing, and its name is how its owner asks for qemu-ga.
#[test]
fn under_the_name_of_qemu_ga_there_are_no_tools() {
    let scratch = Scratch::new("words");
    let mut tool = Command::new(agent_named("qemu-ga", &scratch));
    let ended = run_to_end(tool.args(["policy", "reload", "-V"]), &scratch);
    assert!(ended.status.success() && ended.output.starts_with("QEMU Guest Agent"), "{}", ended.output);
}
