//! `--audit-file`: every request leaves a line, the lines vouch for each other, and whoever changes them is found out.

use bulkhead_lifecycle::{Ended, Process, frozen_scratch, run_to_end, soon, within};
use bulkhead_test_support::{Agent, Client, Scratch, agent_under_test, tools};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn file(scratch: &Scratch) -> PathBuf {
    scratch.join("audit.log")
}

fn started_in(scratch: Scratch, extra: &[&str]) -> Agent {
    let file = file(&scratch);
    let arguments: Vec<&str> =
        ["--audit-file", file.to_str().unwrap()].into_iter().chain(extra.iter().copied()).collect();
    Agent::start_in(scratch, &agent_under_test(), &arguments, &[])
}

fn started() -> Agent {
    started_in(Scratch::new("audit"), &[])
}

/// Ends the agent as an operator does, and gives back its folder.
fn ended(mut agent: Agent) -> Scratch {
    Process::new(agent.pid()).signal(Signal::SIGTERM);
    within(Duration::from_secs(10), agent.child());
    agent.kill()
}

fn ping(client: &mut Client, times: usize) {
    (0..times).for_each(|_| assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({})));
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// What each line is about.
fn themes(path: &Path) -> Vec<String> {
    let theme = |line: &Value| line.get("command").or(line.get("event")).and_then(Value::as_str).unwrap().to_owned();
    lines(path).iter().map(theme).collect()
}

fn verify(files: &[&Path]) -> Ended {
    let scratch = Scratch::new("verify");
    run_to_end(Command::new(tools()).args(["audit", "verify"]).args(files), &scratch)
}

#[track_caller]
fn whole(files: &[&Path]) -> String {
    let ended = verify(files);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.output);
    ended.output
}

#[track_caller]
fn wrong(files: &[&Path]) -> String {
    let ended = verify(files);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.output);
    ended.output
}

#[test]
fn a_line_says_what_was_asked_and_what_became_of_it() {
    let agent = started();
    let mut client = agent.client();
    ping(&mut client, 1);
    client.call("guest-file-open", json!({ "path": "/nonexistent/\u{e9}\n", "mode": "r", "x": 1 }));
    client.call("guest-file-open", json!({ "path": "/nonexistent/f" }));
    client.call("guest-no\u{1b}such", json!({ "a": 1, "b": 2 }));
    client.send(b"{\"exec\":'SECRET'}");
    client.reply();
    let path = file(agent.scratch());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let lines = lines(&path);
    assert_eq!(lines[0]["event"], "start");
    assert_eq!(lines[0]["policy"].as_str().map(str::len), Some(64));
    let ping = &lines[1];
    assert_eq!((&ping["command"], &ping["arguments"]), (&json!("guest-ping"), &json!({})));
    assert_eq!((&ping["decision"], &ping["outcome"], &ping["module"]), (&json!("allow"), &json!("ok"), &json!("core")));
    assert_eq!(ping["bytes"], json!({ "in": 2, "out": "{\"return\": {}}\n".len() }));
    assert_eq!(ping["digest"].as_str().map(str::len), Some(64));
    assert!(["policy", "instance", "module", "host"].iter().all(|part| ping["us"][part].is_u64()), "{ping}");
    assert_eq!(ping["run"], lines[0]["run"]);
    assert_eq!(lines[2]["arguments"], json!({ "path": "/nonexistent/\u{e9}\n", "mode": "r" }));
    assert_eq!((&lines[2]["unknown"], &lines[2]["outcome"]), (&json!(1), &json!("GenericError")));
    let judged = &lines[3]["judgements"][0];
    assert_eq!((&judged["capability"], &judged["allowed"]), (&json!("files"), &json!(true)));
    assert_eq!(lines[4]["command"], "guest-no\\u{1b}such");
    assert_eq!((&lines[4]["decision"], &lines[4]["rule"]), (&json!("deny"), &json!("unknown")));
    assert_eq!((&lines[4]["arguments"], &lines[4]["unknown"]), (&json!({}), &json!(2)));
    assert_eq!(lines[5]["event"], "rejected");
    assert!(!fs::read_to_string(&path).unwrap().contains("SECRET"));
}

#[test]
fn a_denial_names_the_rule_and_what_would_permit_it() {
    let scratch = Scratch::new("audit");
    let policy = scratch.join("policy.toml");
    let text = "version = 1\nprofile = \"minimal\"\n[[command]]\nnames = [\"guest-file-*\"]\nmode = \"MODE\"\n\
                [[permit]]\ncapability = \"files\"\nmodules = [\"file\"]\ntrees = [\"/nonexistent\"]\naccess = [\"read\"]\n\
                reason = \"x\"\n";
    for (mode, decision) in [("enforce", "allow"), ("observe", "observe")] {
        fs::write(&policy, text.replace("MODE", mode)).unwrap();
        let agent = Agent::start(
            &agent_under_test(),
            &["--policy", policy.to_str().unwrap(), "--audit-file", file(&scratch).to_str().unwrap()],
        );
        let mut client = agent.client();
        client.call("guest-file-open", json!({ "path": "/etc/hostname" }));
        client.call("guest-exec", json!({ "path": "/bin/true" }));
        ended(agent);
        let lines = lines(&file(&scratch));
        let [.., open, exec, _] = &lines[..] else { panic!() };
        assert_eq!(open["decision"], decision);
        assert!(open["rule"].as_str().unwrap().ends_with("policy.toml:3:1"), "{open}");
        let judgement = &open["judgements"][0];
        assert_eq!((&judgement["module"], &judgement["allowed"]), (&json!("file"), &json!(false)));
        assert!(judgement["permit"].as_str().unwrap().contains("/etc/hostname"), "{open}");
        assert_eq!((&exec["decision"], &exec["rule"], &exec["module"]), (&json!("deny"), &Value::Null, &Value::Null));
    }
    whole(&[&file(&scratch)]);
}

#[test]
fn the_chain_goes_on_over_a_restart_and_a_crash() {
    let agent = started();
    ping(&mut agent.client(), 2);
    let agent = started_in(ended(agent), &[]);
    ping(&mut agent.client(), 1);
    let agent = started_in(agent.kill(), &[]);
    ping(&mut agent.client(), 1);
    let scratch = ended(agent);
    let path = file(&scratch);
    let expected = "start guest-ping guest-ping stop start guest-ping start guest-ping stop";
    assert_eq!(themes(&path).join(" "), expected);
    assert_eq!(whole(&[&path]), "9 lines are whole and in order, up to 9\n");
}

#[test]
fn a_crash_in_the_middle_of_a_line_is_on_record() {
    let agent = started();
    ping(&mut agent.client(), 2);
    let scratch = agent.kill();
    let path = file(&scratch);
    let length = fs::metadata(&path).unwrap().len();
    File::options().write(true).open(&path).unwrap().set_len(length - 20).unwrap();
    assert!(wrong(&[&path]).contains("audit.log:3: the last line is cut off"));
    let agent = started_in(scratch, &[]);
    ping(&mut agent.client(), 1);
    let said = whole(&[&file(agent.scratch())]);
    assert!(said.starts_with("recorded loss of 1 lines, a piece of which is there: 3 to 3"), "{said}");
}

#[test]
fn rotation_needs_no_word_to_the_agent() {
    let agent = started();
    let mut client = agent.client();
    ping(&mut client, 1);
    let path = file(agent.scratch());
    let [older, old] = ["audit.log.2", "audit.log.1"].map(|name| agent.scratch().join(name));
    // By renaming.
    fs::rename(&path, &older).unwrap();
    ping(&mut client, 2);
    // By copying and truncating.
    fs::copy(&path, &old).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    ping(&mut client, 1);
    assert_eq!([&older, &old, &path].map(|path| lines(path).len()), [2, 2, 1]);
    whole(&[&older, &old, &path]);
    assert!(whole(&[&old, &path]).starts_with("older lines, 1 to 2, are not in these files\n"));
    assert!(wrong(&[&older, &path]).contains("audit.log:1: lines were removed between 2 and 5"));
    // While it is not there, and by its owner's wish.
    let scratch = ended(agent);
    fs::rename(&path, scratch.join("audit.log.0")).unwrap();
    let agent = started_in(scratch, &[]);
    ping(&mut agent.client(), 1);
    Process::new(agent.pid()).signal(Signal::SIGHUP);
    let [last, path] = ["audit.log.0", "audit.log"].map(|name| agent.scratch().join(name));
    soon("the reload is noted or was in vain", || agent.log().contains("policy"));
    ping(&mut agent.client(), 1);
    whole(&[&older, &old, &last, &path]);
}

#[test]
fn whoever_touches_a_line_is_found_out() {
    let agent = started();
    let mut client = agent.client();
    ping(&mut client, 2);
    client.call("guest-exec", json!({ "path": "/bin/false" }));
    ping(&mut client, 2);
    let path = file(agent.scratch());
    let good: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(good.len(), 6);
    let forged = agent.scratch().join("forged");
    let tell = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = good.clone();
        change(&mut lines);
        fs::write(&forged, lines.join("\n") + "\n").unwrap();
        wrong(&[&forged])
    };
    assert!(
        tell(&|lines| lines[3] = lines[3].replace("/bin/false", "/bin/true"))
            .contains("forged:4: line 4 was edited: line 5 does not follow from it")
    );
    assert!(tell(&|lines| drop(lines.remove(3))).contains("forged:4: lines were removed between 3 and 5"));
    assert!(tell(&|lines| lines.swap(2, 3)).contains("forged:3: line 4 stands where line 3 should"));
    assert!(tell(&|lines| lines[3] = "{}".to_owned()).contains("forged:4: this is not a line of an audit"));
}

#[test]
fn an_agent_that_starts_frozen_touches_no_disk_before_the_thaw() {
    let agent = started_in(frozen_scratch(), &[]);
    let mut client = agent.client();
    ping(&mut client, 1);
    client.call("guest-exec", json!({ "path": "/bin/true" }));
    let path = file(agent.scratch());
    assert!(!path.exists());
    client.call("guest-fsfreeze-thaw", Value::Null).ok();
    ping(&mut client, 1);
    assert_eq!(themes(&path).join(" "), "start guest-ping guest-exec guest-fsfreeze-thaw guest-ping");
    let lines = lines(&path);
    assert_eq!((&lines[2]["decision"], &lines[2]["rule"]), (&json!("deny"), &json!("frozen")));
    assert_eq!((&lines[3]["decision"], &lines[3]["rule"]), (&json!("allow"), &json!("thaw")));
    whole(&[&path]);
}

#[test]
fn a_flood_while_frozen_keeps_how_it_began_and_how_it_ended() {
    let agent = started_in(frozen_scratch(), &[]);
    let mut client = agent.client();
    ping(&mut client, 1500);
    client.call("guest-fsfreeze-thaw", Value::Null).ok();
    let path = file(agent.scratch());
    let themes = themes(&path);
    assert_eq!(themes.first().map(String::as_str), Some("start"));
    assert_eq!(themes[themes.len() - 2..], ["lost", "guest-fsfreeze-thaw"]);
    let said = whole(&[&path]);
    assert!(said.starts_with("recorded loss of 477 lines: 1025 to 1501, noted at "), "{said}");
}

#[test]
fn without_the_option_there_is_no_audit() {
    let agent = Agent::start(&agent_under_test(), &[]);
    ping(&mut agent.client(), 1);
    assert!(!file(agent.scratch()).exists());
    assert!(wrong(&[&file(agent.scratch())]).contains("cannot read"));
}
