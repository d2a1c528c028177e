//! No client fills the owner's disk: audit and log have a rate and a size, what is left out is counted, and what acts is there.

use bulkhead_lifecycle::{Ended, run_to_end, soon};
use bulkhead_test_support::{Agent, Client, Scratch, agent_under_test, tools};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn started(extra: &[&str]) -> (Agent, PathBuf) {
    let scratch = Scratch::new("bounds");
    let file = scratch.join("audit.jsonl");
    let arguments: Vec<&str> =
        ["--audit-file", file.to_str().unwrap()].into_iter().chain(extra.iter().copied()).collect();
    (Agent::start_in(scratch, &agent_under_test(), &arguments, &[]), file)
}

fn tool(words: &[&str], paths: &[&Path]) -> Ended {
    let scratch = Scratch::new("tool");
    let mut tool = Command::new(tools());
    run_to_end(tool.args(words).args(paths).env("QGA_CONF", scratch.join("none")), &scratch)
}

#[track_caller]
fn whole(files: &[&Path]) -> String {
    let ended = tool(&["audit", "verify"], files);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.output);
    ended.output
}

fn status(agent: &Agent) -> Value {
    let ended = tool(&["status", "--json", "--statedir"], &[agent.scratch().path()]);
    serde_json::from_str(&ended.output).unwrap_or_else(|error| panic!("{error}: {}", ended.output))
}

/// Sends bytes in pieces and reads what comes, so that neither side waits for the other for ever.
fn flood(client: &mut Client, piece: &[u8], times: usize) {
    for id in 0..times {
        client.send(piece);
        client.send(format!("\n{{\"execute\":\"guest-sync-delimited\",\"arguments\":{{\"id\":{id}}}}}\n").as_bytes());
        while !client.reply().sentinel {}
    }
}

fn exec(client: &mut Client) {
    let reply = client.call("guest-exec", json!({ "path": "/bin/true", "arg": ["audited"] }));
    assert!(reply.ok()["pid"].is_u64());
}

/// What a client can send that costs the agent most lines for the least bytes, and each looks different from the one before.
#[test]
fn bytes_that_are_no_requests_do_not_fill_the_audit() {
    let (agent, file) = started(&["--audit-rate=1KiB"]);
    let mut client = agent.client();
    flood(&mut client, &b"}\"\x01".repeat(1000), 10);
    exec(&mut client);
    let length = fs::metadata(&file).unwrap().len();
    assert!(length < 60_000, "{length} bytes for 20,000");
    let said = whole(&[&file]);
    assert!(said.contains("because they came too fast"), "{said}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.lines().last().unwrap().contains(r#""command":"guest-exec""#), "what acts has a share of its own");
    let figures = status(&agent)["figures"].clone();
    assert!(figures["rejected"].as_u64().unwrap() > 1000, "{figures}");
    assert!(figures["audit"]["left-out"].as_u64().unwrap() > 0 && figures["audit"]["rate"] == 1024, "{figures}");
    assert!(agent.log().contains("the audit leaves out 'rejected' lines"), "{}", agent.log());
}

#[test]
fn the_same_again_and_again_is_a_count() {
    let (agent, file) = started(&["-b", "guest-exec"]);
    let mut client = agent.client();
    for _ in 0..2000 {
        client.call("guest-exec", json!({ "path": "/bin/true" })).desc();
    }
    client.call("guest-ping", Value::Null).ok();
    let text = fs::read_to_string(&file).unwrap();
    // The start, one refusal, its count, the ping; and two more for each minute that a slow machine takes.
    assert!(text.lines().count() < 20, "{text}");
    let said = whole(&[&file]);
    assert!(said.contains("requests said the same as the one before and have a count instead of a line"), "{said}");
    let times: u64 = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| line["times"].as_u64().unwrap_or(0) + u64::from(line["command"] == "guest-exec"))
        .sum();
    assert_eq!(times, 2000, "none is forgotten");
    assert_eq!(status(&agent)["figures"]["refused"], 2000);
}

/// The cheapest thing that a client can send.
#[test]
fn a_flood_of_one_kind_of_bytes_is_a_line_and_a_count() {
    let (agent, file) = started(&[]);
    let mut client = agent.client();
    flood(&mut client, &b"\xFF\0".repeat(5000), 10);
    exec(&mut client);
    let text = fs::read_to_string(&file).unwrap();
    // For each piece a line, its count, and the request at its end.
    assert!(text.lines().count() < 60, "{text}");
    assert!(whole(&[&file]).contains("have a count instead of a line"));
    assert!(status(&agent)["figures"]["audit"]["repeated"].as_u64().unwrap() > 10_000);
}

#[test]
fn an_audit_that_nobody_rotates_takes_twice_its_size_at_the_most() {
    let (agent, file) = started(&["--audit-size=20KiB"]);
    let mut client = agent.client();
    for _ in 0..300 {
        client.call("guest-ping", Value::Null).ok();
    }
    let old = agent.scratch().join("audit.jsonl.old");
    let length = |path: &Path| fs::metadata(path).unwrap().len();
    assert!(length(&file) <= 20 * 1024 && length(&old) <= 20 * 1024 && length(&old) > 18 * 1024);
    let said = whole(&[&old, &file]);
    assert!(said.starts_with("older lines, 1 to ") && said.contains("in order, up to 301"), "{said}");
}

#[test]
fn a_client_does_not_fill_the_log_that_its_owner_wants_to_see_all_of() {
    let scratch = Scratch::new("bounds");
    let file = scratch.join("agent.log");
    let arguments = ["-v", "-l", file.to_str().unwrap(), "--log-rate=10", "--log-size=30KiB"];
    let agent = Agent::start_in(scratch, &agent_under_test(), &arguments, &[]);
    let mut client = agent.client();
    flood(&mut client, &b"}]".repeat(1000), 10);
    for _ in 0..1000 {
        client.call("guest-ping", Value::Null).ok();
    }
    exec(&mut client);
    let old = agent.scratch().join("agent.log.old");
    let total = [&file, &old].iter().filter_map(|path| fs::metadata(path).ok()).map(|it| it.len()).sum::<u64>();
    assert!(total <= 60 * 1024, "{total}");
    assert!(fs::read_to_string(&file).unwrap().contains("guest-exec called"), "other lines have room");
    let figures = status(&agent)["figures"].clone();
    assert!(figures["log"]["left-out"].as_u64().unwrap() > 500 && figures["log"]["rate"] == 10, "{figures}");
}

#[test]
fn a_file_that_others_can_write_is_not_taken_for_an_audit() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("bounds");
    let file = scratch.file("audit.jsonl", "");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let agent = Agent::start_in(scratch, &agent_under_test(), &["--audit-file", file.to_str().unwrap()], &[]);
    let mut client = agent.client();
    client.call("guest-ping", Value::Null).ok();
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
    let said = agent.log();
    assert!(said.contains("it can be written by others") && said.contains("chmod go-w"), "{said}");
    assert_eq!(status(&agent)["figures"]["audit"]["failing"], true);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    client.call("guest-ping", Value::Null).ok();
    soon("then it is", || whole(&[&file]).starts_with("recorded loss of 2 lines: 1 to 2"));
}

#[test]
fn without_a_file_the_configured_audit_is_checked() {
    let (agent, file) = started(&["--audit-size=4KiB"]);
    let mut client = agent.client();
    (0..10).for_each(|_| drop(client.call("guest-ping", Value::Null).ok()));
    let scratch = Scratch::new("tool");
    let configuration = scratch.file("qemu-ga.conf", &format!("[general]\naudit-file={}\n", file.display()));
    let mut verify = Command::new(tools());
    verify.args(["audit", "verify"]).env("QGA_CONF", configuration).stdin(std::process::Stdio::null());
    let ended = run_to_end(&mut verify, &scratch);
    assert!(ended.status.success(), "{}", ended.output);
    let expected = format!("reading {0}.old\nreading {0}\n", file.display());
    assert!(ended.output.starts_with(&expected) && ended.output.ends_with("in order, up to 11\n"), "{}", ended.output);
}
