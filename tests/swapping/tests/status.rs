//! `bulkhead status` beside a running agent.

use bulkhead_swapping::{Sample, Shelf, soon, status};
use bulkhead_test_support::Scratch;
use serde_json::{Value, json};
use std::process::Output;

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn it_tells_of_the_agent_its_policy_and_its_modules() {
    let scratch = Scratch::new("status");
    let shelf = Shelf::new(&scratch);
    let villain = Sample::villain("traps", 1);
    shelf.put(&villain);
    shelf.put(&Sample::again("file", 3, &[]));
    let agent = shelf.agent(scratch, &[]);
    let mut client = agent.client();
    client.call("guest-ping", Value::Null);
    client.call("guest-file-open", json!({ "path": "/no/such/file" }));
    let expected = "file 3.0: serves, in the place of the built-in module, on probation, 1 of 5 calls";
    soon("the state is told", || text(&status(agent.scratch(), &[])).contains(expected));
    soon("the quarantine is on record", || shelf.state().quarantine.contains_key(villain.digest()));
    let output = status(agent.scratch(), &[]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.starts_with(&format!("agent: version 0.1.0, process {}, since 20", agent.pid())), "{said}");
    assert!(said.contains("\n  core 1.0: in quarantine since 20") && said.contains("guest-ping failed ("), "{said}");
    let json = || serde_json::from_slice::<Value>(&status(agent.scratch(), &["--json"]).stdout).unwrap();
    assert_eq!(json()["agent"]["pid"], json!(agent.pid()));
    // For a moment the store has it on record already, and the agent still says that it has not.
    soon("the digest is told", || {
        let modules = json()["modules"].as_array().unwrap().clone();
        modules.iter().find(|it| it["name"] == "core").is_some_and(|core| core["digest"] == villain.digest())
    });
}

#[test]
fn without_an_agent_it_ends_with_3() {
    let scratch = Scratch::new("no-agent");
    let output = status(&scratch, &[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output).starts_with("agent: none runs\n"));
}
