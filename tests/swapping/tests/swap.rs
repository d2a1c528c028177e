//! What survives a swap, and what the owner's policy says to it.

use bulkhead_swapping::{Sample, Shelf, soon};
use bulkhead_test_support::{Agent, Scratch, agent_under_test};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::process::Command;

fn swapped(agent: &Agent, module: &str, times: usize) {
    let line = format!("module {module}: ");
    let swaps = || agent.log().lines().filter(|it| it.contains(&line) && it.contains(" serves now")).count();
    soon("the module is swapped", || swaps() >= times);
}

fn hang_up(agent: &Agent) {
    kill(Pid::from_raw(agent.pid().cast_signed()), Signal::SIGHUP).unwrap();
}

#[test]
fn an_open_file_survives() {
    let scratch = Scratch::new("handle");
    let shelf = Shelf::new(&scratch);
    std::fs::write(scratch.join("file"), "onetwo").unwrap();
    let path = scratch.join("file");
    let agent = shelf.agent(scratch, &[]);
    let mut client = agent.client();
    let handle = client.call("guest-file-open", json!({ "path": path })).ok();
    let mut read = || client.call("guest-file-read", json!({ "handle": handle, "count": 3 })).ok()["buf-b64"].clone();
    assert_eq!(read(), "b25l");
    shelf.put(&Sample::again("file", 1, &[]));
    swapped(&agent, "file", 1);
    assert_eq!(read(), "dHdv", "and its place in the file");
    shelf.choose("file", None);
    swapped(&agent, "file", 2);
    assert_eq!(read(), "", "also on the way back to the built-in module");
}

#[test]
fn a_running_program_survives() {
    let scratch = Scratch::new("child");
    let shelf = Shelf::new(&scratch);
    let agent = shelf.agent(scratch, &[]);
    let mut client = agent.client();
    let program = json!({ "path": "/bin/sh", "arg": ["-c", "read word; echo got $word"], "capture-output": true, "input-data": "eAo=" });
    let waits = json!({ "path": "/bin/sh", "arg": ["-c", "sleep 1; echo done"], "capture-output": true });
    let pids: Vec<Value> =
        [program, waits].into_iter().map(|it| client.call("guest-exec", it).ok()["pid"].clone()).collect();
    shelf.put(&Sample::again("exec", 1, &[]));
    swapped(&agent, "exec", 1);
    for (pid, output) in pids.into_iter().zip(["Z290IHgK", "ZG9uZQo="]) {
        let mut status = Value::Null;
        soon("the program has ended", || {
            status = client.call("guest-exec-status", json!({ "pid": pid })).ok();
            status["exited"] == json!(true)
        });
        assert_eq!(status["out-data"], json!(output));
    }
}

#[test]
fn what_is_installed_serves_from_the_first_request_on() {
    let scratch = Scratch::new("start");
    let shelf = Shelf::new(&scratch);
    shelf.put(&Sample::again("core", 1, &["__org.example_first"]));
    let agent = shelf.agent(scratch, &[]);
    let info = agent.client().call("guest-info", Value::Null).ok();
    assert!(info.to_string().contains("__org.example_first"), "{info}");
}

#[test]
fn the_policy_may_forbid_it_and_change_its_mind() {
    let scratch = Scratch::new("forbids");
    let shelf = Shelf::new(&scratch);
    let allows = std::fs::read_to_string(shelf.policy()).unwrap();
    std::fs::write(shelf.policy(), allows.replace("replace = true", "replace = false")).unwrap();
    shelf.put(&Sample::again("core", 1, &["__org.example_first"]));
    let agent = shelf.agent(scratch, &[]);
    let mut client = agent.client();
    let mut has_it = || client.call("guest-info", Value::Null).ok().to_string().contains("__org.example_first");
    assert!(!has_it());
    assert!(agent.log().contains("module core 1.0 is left out: the policy does not say 'replace = true' of core"));
    std::fs::write(shelf.policy(), &allows).unwrap();
    hang_up(&agent);
    soon("the module serves", &mut has_it);
    std::fs::write(shelf.policy(), allows.replace("replace = true", "replace = false")).unwrap();
    hang_up(&agent);
    soon("the built-in module serves", || !has_it());
}

#[test]
fn code_of_another_engine_is_not_loaded_and_compiled_anew_once() {
    let scratch = Scratch::new("engine");
    let shelf = Shelf::new(&scratch);
    shelf.put(&Sample::again("core", 1, &["__org.example_first"]).of_another_engine());
    let agent = shelf.agent(scratch, &[]);
    let info = agent.client().call("guest-info", Value::Null).ok();
    assert!(!info.to_string().contains("__org.example_first"), "the built-in module serves");
    // No compiler can make code of these bytes: the tool says so, and is not asked again.
    soon("the tool has ended", || agent.log().contains("bulkhead module recompile"));
    hang_up(&agent);
    soon("the store is read again", || agent.log().contains("the policy was read again"));
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(agent.log().matches("modules are compiled anew").count(), 1, "{}", agent.log());
}

#[test]
fn an_agent_without_a_store_is_what_it_was() {
    let scratch = Scratch::new("none");
    let agent = Shelf::new(&scratch).agent(scratch, &[]);
    assert_eq!(agent.client().call("guest-ping", Value::Null).ok(), json!({}));
    let log = agent.log();
    assert!(log.lines().count() == 1 && log.contains("notice: Bulkhead "), "{log}");
    let listed = Command::new(agent_under_test()).args(["-b", "help"]).output().unwrap();
    assert!(listed.status.success());
}
