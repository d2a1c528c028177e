//! While file systems are frozen nothing is swapped and nothing is written; what fails is taken away all the same.

use bulkhead_swapping::{Sample, Shelf, soon};
use bulkhead_test_support::{Agent, Client, Scratch};
use serde_json::Value;
use std::fs;
use std::time::Duration;

const FIRST: &str = "__org.example_first";
const SECOND: &str = "__org.example_second";

/// An agent that starts frozen, as after one that was killed in the middle of a backup, and what was installed before.
fn frozen(installed: &[Sample]) -> (Shelf, Agent, Client) {
    let scratch = Scratch::new("frozen");
    let shelf = Shelf::new(&scratch);
    installed.iter().for_each(|sample| shelf.put(sample));
    fs::write(scratch.join("qga.state.isfrozen"), "").unwrap();
    let agent = shelf.agent(scratch, &[]);
    let mut client = agent.client();
    assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "frozen");
    (shelf, agent, client)
}

fn thaw(client: &mut Client) {
    assert_eq!(client.call("guest-fsfreeze-thaw", Value::Null).ok(), 0);
}

fn names(client: &mut Client, command: &str) -> bool {
    client.call("guest-info", Value::Null).ok().to_string().contains(command)
}

fn ping(client: &mut Client) -> bool {
    client.call("guest-ping", Value::Null).value.get("return").is_some()
}

#[test]
fn what_was_installed_before_serves() {
    let (_shelf, _agent, mut client) = frozen(&[Sample::again("core", 1, &[FIRST])]);
    assert!(names(&mut client, FIRST));
}

#[test]
fn a_change_of_the_store_waits_for_the_thaw() {
    let (shelf, agent, mut client) = frozen(&[Sample::again("core", 1, &[FIRST])]);
    shelf.put(&Sample::again("core", 2, &[SECOND]));
    for _ in 0..30 {
        assert!(names(&mut client, FIRST), "the version with which the freeze began");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!agent.scratch().join("bulkhead.run").exists(), "nothing is written while frozen");
    thaw(&mut client);
    soon("then it is swapped", || names(&mut client, SECOND));
    assert!(!names(&mut client, FIRST));
}

#[test]
fn what_fails_is_taken_away_at_once_and_put_on_record_after_the_thaw() {
    let villain = Sample::villain("traps", 2);
    let (shelf, agent, mut client) = frozen(&[Sample::again("core", 1, &[FIRST]), villain.clone()]);
    let (state, journal) = (shelf.root().join("state.json"), shelf.root().join("journal"));
    let before = (fs::read(&state).unwrap(), fs::read(&journal).unwrap());
    assert!(!ping(&mut client), "the villain has its one call");
    for _ in 0..30 {
        assert!(ping(&mut client), "the next one is the predecessor's");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(names(&mut client, FIRST));
    assert_eq!((fs::read(&state).unwrap(), fs::read(&journal).unwrap()), before, "nothing is written while frozen");
    assert_eq!(agent.log(), "");
    thaw(&mut client);
    soon("it is on record", || shelf.state().quarantine.contains_key(villain.digest()));
    assert!(agent.log().contains("module core 2.0 is in quarantine, and 1.0 serves again"), "{}", agent.log());
    assert!(ping(&mut client) && names(&mut client, FIRST));
}
