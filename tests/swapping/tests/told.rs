//! What the log and the audit tell of a swap, and how often the store is read.

use bulkhead_swapping::{COMMAND, NAME, Sample, Shelf, both_installed, number, soon, start};
use bulkhead_test_support::{Agent, Scratch, agent_under_test};
use serde_json::{Value, json};
use std::fs;

/// The events of the audit about modules.
fn told(agent: &Agent) -> Vec<Value> {
    let text = fs::read_to_string(agent.scratch().join("audit.log")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["event"] == "module").collect()
}

#[test]
fn the_audit_has_a_line_for_each_swap() {
    let (place, [first, second]) = both_installed();
    let scratch = Scratch::new("audit");
    let file = scratch.join("audit.log");
    let agent = start(&place, &agent_under_test(), scratch, &["--audit-file", file.to_str().unwrap()]);
    let mut client = agent.client();
    assert_eq!(number(&client.call(COMMAND, Value::Null)), 2);
    place.tool(&["rollback", NAME]).good();
    soon("the first version answers", || number(&client.call(COMMAND, Value::Null)) == 1);
    place.tool(&["disable", NAME]).good();
    soon("its command is gone", || client.call(COMMAND, Value::Null).value.get("error").is_some());
    let lines = told(&agent);
    let said: Vec<_> = lines.iter().map(|it| json!([it["module"], it["before"], it["digest"], it["why"]])).collect();
    let expected = [
        json!([NAME, null, second, "the store"]),
        json!([NAME, second, first, "the store"]),
        json!([NAME, first, null, "the store"]),
    ];
    assert_eq!(said, expected);
}

#[test]
fn the_audit_tells_why_a_module_was_withdrawn_by_the_agent() {
    let scratch = Scratch::new("audit");
    let (shelf, file) = (Shelf::new(&scratch), scratch.join("audit.log"));
    let (good, villain) = (Sample::again("core", 1, &[]), Sample::villain("traps", 2));
    shelf.put(&good);
    shelf.put(&villain);
    let agent = shelf.agent(scratch, &["--audit-file", file.to_str().unwrap()]);
    let mut client = agent.client();
    assert!(client.call("guest-ping", Value::Null).value.get("error").is_some());
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
    let lines = told(&agent);
    let last = lines.last().expect("there is a line");
    assert_eq!((&last["before"], &last["digest"]), (&json!(villain.digest()), &json!(good.digest())));
    let why = last["why"].as_str().unwrap();
    assert!(why.contains("guest-ping failed (") && why.contains("in call 1 of its probation of 5"), "{why}");
}

#[test]
fn many_changes_in_a_row_are_few_readings() {
    const CHANGES: usize = 200;
    // Where the machine is busy with other things each change may find the agent at rest; not always.
    const TRIES: u64 = 5;
    let scratch = Scratch::new("row");
    let shelf = Shelf::new(&scratch);
    shelf.put(&Sample::again("core", 1, &["__org.example_first"]));
    let agent = shelf.agent(scratch, &["-v"]);
    let mut client = agent.client();
    client.call("guest-ping", Value::Null);
    let readings = || agent.log().matches("the modules were swapped in").count();
    let (state, part) = (shelf.root().join("state.json"), shelf.root().join("part"));
    let mut tries = (1..=TRIES).map(|number| {
        let before = readings();
        let text = fs::read(&state).unwrap();
        for _ in 0..CHANGES {
            fs::write(&part, &text).unwrap();
            fs::rename(&part, &state).unwrap();
        }
        let last = format!("__org.example_last-{number}");
        shelf.put(&Sample::again("core", number + 1, &[&last]));
        soon("the last one counts", || client.call("guest-info", Value::Null).ok().to_string().contains(&last));
        let after = readings() - before;
        println!("{CHANGES} changes in a row: {after} readings");
        after
    });
    assert!(tries.any(|after| after < CHANGES / 2), "each change is read by itself");
}
