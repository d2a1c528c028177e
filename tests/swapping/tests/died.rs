//! A module that ends the agent's process: the next agent knows whose call it was.

use bulkhead_modules_tests::Place;
use bulkhead_store::{State, Store};
use bulkhead_swapping::{
    COMMAND, NAME, Sample, Shelf, both_installed, number, said_by_status, serves_by_status, soon, start,
};
use bulkhead_test_support::{Agent, Client, Scratch, agent_under_test};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// An agent that is killed while a module spins, in the middle of a call of it.
fn killed_in(agent: Agent, client: &mut Client, command: &str, arguments: Value) -> Scratch {
    let before = processor_time(&agent);
    let mut request = json!({ "execute": command });
    if !arguments.is_null() {
        request["arguments"] = arguments;
    }
    client.send(request.to_string().as_bytes());
    soon("the module spins", || processor_time(&agent) >= before + 20);
    agent.kill()
}

/// An agent that is killed while no module of others is at work: one may still be made ready when its reply has come, but no longer
/// when a built-in module answers.
fn killed_at_rest(agent: Agent) -> Scratch {
    assert_eq!(agent.client().call("guest-ping", Value::Null).ok(), json!({}));
    agent.kill()
}

/// Of all its threads, in hundredths of a second.
fn processor_time(agent: &Agent) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", agent.pid())).unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap()..].split(' ').collect();
    fields[12].parse::<u64>().unwrap() + fields[13].parse::<u64>().unwrap()
}

fn agent(place: &Place, scratch: Scratch) -> Agent {
    let audit = scratch.join("audit.log").to_str().unwrap().to_owned();
    start(place, &agent_under_test(), scratch, &["--audit-file", &audit])
}

fn state(place: &Place) -> State {
    Store::new(place.store()).read().unwrap()
}

fn died(agent: &Agent) -> Vec<Value> {
    let text = fs::read_to_string(agent.scratch().join("audit.log")).unwrap();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).filter(|it| it["event"] == "died").collect()
}

#[test]
fn a_version_on_probation_is_withdrawn_by_the_next_agent() {
    let (place, [first, second]) = both_installed();
    let killed = agent(&place, Scratch::new("died"));
    let mut client = killed.client();
    assert_eq!(number(&client.call(COMMAND, Value::Null)), 2);
    let scratch = killed_in(killed, &mut client, COMMAND, json!({ "how": "spin" }));
    let next = agent(&place, scratch);
    assert_eq!(number(&next.client().call(COMMAND, Value::Null)), 1, "the version before it");
    soon("it is on record", || state(&place).quarantine.contains_key(&second));
    let reason = &state(&place).quarantine[&second].reason;
    assert_eq!(
        reason,
        &format!("an agent has ended while it answered the command {COMMAND}, in call 1 of its probation of 20")
    );
    assert_eq!(state(&place).modules[NAME].current.as_ref(), Some(&first));
    let log = next.log();
    assert!(
        log.contains(&format!(
            "an agent has ended while module {NAME} 2.0 answered the command {COMMAND}: that is a failure"
        )),
        "{log}"
    );
    assert!(
        log.contains(&format!("module {NAME} 2.0 is in quarantine, and 1.0 serves again: an agent has ended")),
        "{log}"
    );
    let [line] = &died(&next)[..] else { panic!("{log}") };
    assert_eq!([&line["module"], &line["digest"], &line["command"]], [&json!(NAME), &json!(second), &json!(COMMAND)]);
    // Whoever lets it out has it serve, on probation, and the next agent too.
    place.tool(&["enable", NAME, "2.0"]).good();
    soon("it serves", || number(&next.client().call(COMMAND, Value::Null)) == 2);
    let after = agent(&place, killed_at_rest(next));
    assert_eq!(number(&after.client().call(COMMAND, Value::Null)), 2);
    assert_eq!(died(&after).len(), 1, "told once");
}

#[test]
fn strikes_are_counted_from_one_agent_to_the_next() {
    let (place, [_, second]) = both_installed();
    let prove = |state: &mut State| {
        state.modules.get_mut(NAME).unwrap().versions.iter_mut().for_each(|version| version.proven = true);
        Ok(())
    };
    Store::new(place.store()).update("prove", prove).unwrap();
    let mut scratch = Scratch::new("strikes");
    for deaths in 0..3 {
        let next = agent(&place, scratch);
        let mut client = next.client();
        assert_eq!(number(&client.call(COMMAND, Value::Null)), 2, "after {deaths}");
        let told = [
            "proven\n",
            "proven: an agent has ended in the middle of one of its calls",
            "in the middle of 2 of its calls",
        ];
        soon("status tells", || said_by_status(&next).contains(told[deaths]));
        scratch = killed_in(next, &mut client, COMMAND, json!({ "how": "spin" }));
    }
    let next = agent(&place, scratch);
    assert_eq!(number(&next.client().call(COMMAND, Value::Null)), 1);
    soon("it is on record", || state(&place).quarantine.contains_key(&second));
    assert!(state(&place).quarantine[&second].reason.ends_with("which is 3 failures within 600 s"));
    soon("status tells", || serves_by_status(&next, "1.0"));
}

#[test]
fn who_is_killed_between_two_calls_has_found_no_fault() {
    let (place, _) = both_installed();
    let killed = agent(&place, Scratch::new("idle"));
    assert_eq!(number(&killed.client().call(COMMAND, Value::Null)), 2);
    let next = agent(&place, killed_at_rest(killed));
    assert_eq!(number(&next.client().call(COMMAND, Value::Null)), 2);
    assert!(died(&next).is_empty() && state(&place).quarantine.is_empty());
}

#[test]
fn while_file_systems_are_frozen_it_is_known_and_no_disk_is_written_to() {
    let scratch = Scratch::new("frozen");
    let shelf = Shelf::new(&scratch);
    let villain = Sample::villain("spins", 2);
    shelf.put(&Sample::again("core", 1, &[]));
    shelf.put(&villain);
    fs::write(scratch.join("qga.state.isfrozen"), "").unwrap();
    let killed = shelf.agent(scratch, &[]);
    let mut client = killed.client();
    let record = fs::read(shelf.root().join("state.json")).unwrap();
    assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "frozen");
    let before = files(killed.scratch().path());
    let scratch = killed_in(killed, &mut client, "guest-ping", Value::Null);
    assert_eq!(files(scratch.path()), before, "nothing is written while frozen");
    let next = shelf.agent(scratch, &[]);
    let mut client = next.client();
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}), "the version before it");
    assert_eq!(fs::read(shelf.root().join("state.json")).unwrap(), record);
    assert_eq!(client.call("guest-fsfreeze-thaw", Value::Null).ok(), 0);
    soon("it is on record", || shelf.state().quarantine.contains_key(villain.digest()));
    assert!(next.log().contains("module core 2.0 is in quarantine, and 1.0 serves again"), "{}", next.log());
}

/// The files of a state directory, and when they were written.
fn files(folder: &Path) -> Vec<(std::ffi::OsString, std::time::SystemTime)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    // Where the folder is in memory, so is the record.
    let on_disk = entries.filter(|it| it.file_name() != "bulkhead.calls");
    let mut files: Vec<_> = on_disk.map(|it| (it.file_name(), it.metadata().unwrap().modified().unwrap())).collect();
    files.sort();
    files
}

#[test]
fn built_in_modules_have_no_record() {
    let scratch = Scratch::new("built-in");
    let shelf = Shelf::new(&scratch);
    let agent = shelf.agent(scratch, &[]);
    assert_eq!(agent.client().call("guest-ping", Value::Null).ok(), json!({}));
    let maps = fs::read_to_string(format!("/proc/{}/maps", agent.pid())).unwrap();
    assert!(!maps.contains("bulkhead.calls"), "{maps}");
}
