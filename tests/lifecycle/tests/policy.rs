//! The owner's policy as an agent finds it when it starts, and what clients then get. What a policy can say, and how it is
//! decided, is tested where it is decided.

use bulkhead_lifecycle::{frozen_scratch, refused, soon};
use bulkhead_test_support::{Agent, Client, Scratch, agent_named, agent_under_test};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const PING: &str = "guest-ping";
const HOST: &str = "guest-get-host-name";
const EXEC: &str = "guest-exec";

fn disabled(command: &str) -> String {
    format!("Command {command} has been disabled: the command is not allowed")
}

fn write(path: PathBuf, rules: &str) -> PathBuf {
    fs::write(&path, format!("version = 1\n{rules}")).expect("a scratch folder can be written to");
    path
}

fn command_rule(names: &str, mode: &str) -> String {
    format!("[[command]]\nnames = [{names}]\nmode = \"{mode}\"\n")
}

/// An agent with these rules.
fn agent_with(rules: &str, extra: &[&str]) -> Agent {
    agent_in(Scratch::new("policy"), rules, extra)
}

fn agent_in(scratch: Scratch, rules: &str, extra: &[&str]) -> Agent {
    let file = write(scratch.join("policy.toml"), rules);
    let arguments: Vec<&str> = ["--policy", file.to_str().unwrap()].into_iter().chain(extra.iter().copied()).collect();
    Agent::start_in(scratch, &agent_under_test(), &arguments, &[])
}

fn is_enabled(client: &mut Client, command: &str) -> bool {
    let info = client.call("guest-info", Value::Null).ok();
    let commands = info["supported_commands"].as_array().expect("guest-info lists commands");
    commands.iter().find(|it| it["name"] == command).expect("it lists all commands")["enabled"] == true
}

/// Asserts that `command` is refused, that guest-info says so, and that the client is told in the words it knows.
fn is_refused(client: &mut Client, command: &str) {
    let reply = client.call(command, Value::Null);
    assert_eq!((reply.class(), reply.desc()), ("CommandNotFound", disabled(command).as_str()));
    assert!(!is_enabled(client, command), "{command}");
}

#[test]
fn without_a_policy_the_name_decides() {
    let scratch = Scratch::new("names");
    let (drop_in, ours) = (agent_named("qemu-ga", &scratch), agent_named("bulkhead-agent", &scratch));
    let agent = Agent::start(&drop_in, &[]);
    assert!(is_enabled(&mut agent.client(), EXEC), "a drop-in allows what qemu-ga allows");
    let agent = Agent::start(&ours, &[]);
    let mut client = agent.client();
    is_refused(&mut client, EXEC);
    assert!(is_enabled(&mut client, "guest-fsfreeze-freeze") && is_enabled(&mut client, HOST));
}

/// What the agent says when it is to start with this policy. It must not start with another.
fn refused_with(scratch: &Scratch, file: &Path) -> String {
    let socket = scratch.join("socket");
    let said =
        refused(scratch, &["-m", "unix-listen", "-p", socket.to_str().unwrap(), "--policy", file.to_str().unwrap()]);
    assert!(!socket.exists(), "a start that fails leaves nothing behind");
    said
}

#[test]
fn a_policy_that_is_no_good_keeps_the_agent_from_starting() {
    let scratch = Scratch::new("bad-policy");
    let file = scratch.join("policy.toml");
    let said = refused_with(&scratch, &file);
    assert!(said.contains(&format!("cannot read {}", file.display())), "it was named, so it must be there: {said}");
    write(file.clone(), &command_rule("\"guest-pong\"", "enforce"));
    let said = refused_with(&scratch, &file);
    assert!(said.contains(&format!("{}:3:10: there is no command 'guest-pong'", file.display())), "{said}");
    write(file.clone(), &command_rule("\"guest-ping\"", "enforce"));
    for mode in [0o664, 0o666] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let said = refused_with(&scratch, &file);
        assert!(said.contains(&format!("chmod go-w {}", file.display())), "{said}");
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fs::create_dir(scratch.join("policy.d")).unwrap();
    let drop_in = write(scratch.join("policy.d").join("bad.toml"), "colour = \"red\"\n");
    let said = refused_with(&scratch, &file);
    assert!(said.contains(&format!("{}:2:1: unknown key 'colour'", drop_in.display())), "{said}");
}

#[test]
fn drop_ins_add_to_the_file() {
    let scratch = Scratch::new("drop-ins");
    fs::create_dir(scratch.join("policy.d")).unwrap();
    let permit = "[[permit]]\ncapability = \"identity\"\nmodules = [\"report\"]\nreason = \"x\"\n";
    write(
        scratch.join("policy.d").join("more.toml"),
        &format!("{}{permit}", command_rule("\"guest-get-host-name\"", "enforce")),
    );
    write(scratch.join("policy.d").join("less.toml"), &command_rule("\"guest-ping\"", "deny"));
    let agent = agent_in(scratch, "profile = \"minimal\"\n", &[]);
    let mut client = agent.client();
    assert!(client.call(HOST, Value::Null).ok()["host-name"].is_string());
    is_refused(&mut client, PING);
    assert!(is_enabled(&mut client, "guest-sync"), "the file itself counts as well");
}

#[test]
fn the_configuration_file_may_name_it() {
    let scratch = Scratch::new("configured");
    let file = write(scratch.join("mine.toml"), "profile = \"minimal\"\n");
    let settings = scratch.join("settings");
    fs::write(&settings, format!("[general]\npolicy={}\n", file.display())).unwrap();
    let agent = Agent::start_in(scratch, &agent_under_test(), &["-c", settings.to_str().unwrap()], &[]);
    is_refused(&mut agent.client(), HOST);
}

#[test]
fn lists_only_take_away() {
    let agent = agent_with("profile = \"minimal\"\n", &["-b", "guest-ping"]);
    let mut client = agent.client();
    is_refused(&mut client, PING);
    is_refused(&mut client, EXEC);
    let agent = agent_with("profile = \"minimal\"\n", &["-a", "guest-exec,guest-info,guest-ping"]);
    let mut client = agent.client();
    is_refused(&mut client, EXEC);
    is_refused(&mut client, "guest-sync");
    assert_eq!(client.call(PING, Value::Null).ok(), json!({}));
}

#[test]
fn a_command_that_no_grant_makes_usable_is_not_enabled() {
    let rules = "profile = \"standard\"\n[[forbid]]\ncapability = \"trimmer\"\nreason = \"x\"\n\
                 [[command]]\nnames = [\"guest-exec\"]\nmode = \"enforce\"\n";
    let agent = agent_with(rules, &[]);
    let mut client = agent.client();
    assert!(!is_enabled(&mut client, "guest-fstrim"), "its one use is forbidden");
    assert!(!is_enabled(&mut client, EXEC), "it may run, and may start nothing");
    assert!(is_enabled(&mut client, "guest-fsfreeze-freeze"));
}

#[test]
fn what_is_observed_is_done_and_the_owner_is_told_what_would_permit_it() {
    let agent =
        agent_with(&format!("profile = \"minimal\"\n{}", command_rule("\"guest-get-host-name\"", "observe")), &[]);
    let mut client = agent.client();
    assert!(is_enabled(&mut client, HOST));
    let host = client.call(HOST, Value::Null).ok();
    assert!(host["host-name"].is_string(), "{host}");
    let told = "no rule permits it; this would: permit = [{ capability = \"identity\", modules = [\"report\"]";
    soon("it is in the log", || agent.log().contains(told));
    assert!(agent.log().contains("warning") && agent.log().contains(HOST), "{}", agent.log());
}

#[test]
fn a_command_that_comes_too_fast_is_denied() {
    let pace = "mode = \"deny\"\nfaster-than = { calls = 3, seconds = 3600 }\n";
    let agent = agent_with(&format!("profile = \"minimal\"\n[[command]]\nnames = [\"guest-ping\"]\n{pace}"), &[]);
    let mut client = agent.client();
    for _ in 0..3 {
        assert_eq!(client.call(PING, Value::Null).ok(), json!({}));
    }
    assert_eq!(client.call(PING, Value::Null).desc(), disabled(PING));
    drop(client);
    let mut client = agent.client();
    assert_eq!(client.call(PING, Value::Null).desc(), disabled(PING), "another client has no more");
    assert!(is_enabled(&mut client, PING), "it is not a command that never runs");
    assert_eq!(client.call("guest-sync", json!({ "id": 1 })).ok(), 1);
}

/// Whoever froze must be able to thaw, and between a freeze and its thaw a policy may have changed or forgotten it.
#[test]
fn a_thaw_is_never_denied() {
    let rules = format!("{}[[forbid]]\ncapability = \"freezer\"\nreason = \"x\"\n", command_rule("\"*\"", "deny"));
    let agent = agent_in(frozen_scratch(), &rules, &[]);
    let mut client = agent.client();
    assert_eq!(client.call(PING, Value::Null).desc(), disabled(PING));
    assert_eq!(client.call("guest-fsfreeze-thaw", Value::Null).ok(), 0);
    assert!(!agent.scratch().join("qga.state.isfrozen").exists());
    let reply = client.call("guest-fsfreeze-thaw", Value::Null);
    assert_eq!(reply.desc(), disabled("guest-fsfreeze-thaw"), "thawed it is a command like others");
}

#[test]
fn a_module_that_is_stopped_by_a_limit_fails_and_the_owner_is_told_whose_limit_it_was() {
    let agent = agent_with("profile = \"minimal\"\n[[limit]]\nmodules = [\"core\"]\nmemory = \"1KiB\"\n", &[]);
    let reply = agent.client().call(PING, Value::Null);
    assert_eq!(reply.desc(), "The command guest-ping failed in module 'core'");
    let limit = format!("the limit {}:3:1 of the policy", agent.scratch().join("policy.toml").display());
    soon("the log names the limit", || agent.log().contains(&limit));
}
