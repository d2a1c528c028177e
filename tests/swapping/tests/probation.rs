//! A module that fails is taken away by itself, and stays away.

use bulkhead_swapping::{Sample, Shelf, soon};
use bulkhead_test_support::{Agent, Client, Scratch};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const FIRST: &str = "__org.example_first";

fn ping(client: &mut Client) -> bool {
    client.call("guest-ping", Value::Null).value.get("return").is_some()
}

fn serves(client: &mut Client, command: &str) -> bool {
    client.call("guest-info", Value::Null).ok().to_string().contains(command)
}

/// The agent with a good version, and then a villain.
fn with_villain(villain: &Sample) -> (Shelf, Agent, Client) {
    let scratch = Scratch::new("probation");
    let shelf = Shelf::new(&scratch);
    shelf.put(&Sample::again("core", 1, &[FIRST]));
    let agent = shelf.agent(scratch, &[]);
    let mut client = agent.client();
    assert!(serves(&mut client, FIRST));
    shelf.put(villain);
    soon("the villain serves", || agent.log().contains("module core: 2.0 serves now, before 1.0"));
    (shelf, agent, client)
}

#[test]
fn one_trap_and_the_next_request_finds_the_predecessor() {
    let villain = Sample::villain("traps", 2);
    let (shelf, agent, mut client) = with_villain(&villain);
    assert!(!ping(&mut client), "the villain has its one call");
    let again = ping(&mut client);
    assert!(again, "the next one is the predecessor's: {}", agent.log());
    assert!(serves(&mut client, FIRST));
    let log = agent.log();
    let said = log.lines().find(|line| line.contains("quarantine")).expect("the log tells why");
    assert!(
        said.contains("module core 2.0 is in quarantine, and 1.0 serves again: the command guest-ping failed ("),
        "{said}"
    );
    assert!(said.contains("in call 1 of its probation of 5"), "{said}");
    soon("it is on record", || shelf.state().quarantine.contains_key(villain.digest()));
    assert!(shelf.state().quarantine[villain.digest()].reason.contains("in call 1 of its probation of 5"));
    // Also for the next agent, and if somebody makes it the current one.
    let scratch = agent.kill();
    shelf.choose("core", Some(villain.digest()));
    let agent = shelf.agent(scratch, &[]);
    let mut client = agent.client();
    assert!(ping(&mut client) && ping(&mut client));
}

#[test]
fn a_module_that_never_returns_costs_its_time_and_no_more() {
    let (_shelf, agent, mut client) = with_villain(&Sample::villain("spins", 2));
    // It is processor time that is bounded: on a busy machine it takes longer.
    client.patience = Duration::from_secs(120);
    let begin = Instant::now();
    assert!(!ping(&mut client));
    assert!(begin.elapsed() < Duration::from_secs(90), "{:?}", begin.elapsed());
    assert!(ping(&mut client));
    assert!(agent.log().contains("the module used all the processor time"), "{}", agent.log());
}

#[test]
fn a_reply_that_is_no_json_counts_too() {
    let (_shelf, agent, mut client) = with_villain(&Sample::villain("forges_reply", 2));
    assert!(!ping(&mut client));
    assert!(ping(&mut client));
    assert!(
        agent.log().contains("guest-ping returned something that is not one JSON value, in call 1"),
        "{}",
        agent.log()
    );
}

#[test]
fn a_reply_with_a_key_that_comes_twice_counts_too() {
    let (_shelf, agent, mut client) = with_villain(&Sample::villain("repeats_keys", 2));
    assert!(!ping(&mut client));
    assert!(ping(&mut client));
    let log = agent.log();
    assert!(log.contains("guest-ping returned an object with the same key twice, in call 1"), "{log}");
}

#[test]
fn without_a_predecessor_the_built_in_module_serves() {
    let scratch = Scratch::new("alone");
    let shelf = Shelf::new(&scratch);
    let villain = Sample::villain("traps", 1);
    shelf.put(&villain);
    let agent = shelf.agent(scratch, &[]);
    let mut client = agent.client();
    assert!(!ping(&mut client));
    assert!(ping(&mut client));
    assert!(agent.log().contains("and the built-in module serves again"), "{}", agent.log());
    soon("it is on record", || shelf.state().modules["core"].current.is_none());
}

#[test]
fn good_calls_and_errors_of_commands_end_the_probation() {
    let scratch = Scratch::new("good");
    let shelf = Shelf::new(&scratch);
    shelf.put(&Sample::again("file", 1, &[]));
    let agent = shelf.agent(scratch, &[]);
    let mut client = agent.client();
    for _ in 0..5 {
        assert!(!shelf.state().modules["file"].versions[0].proven);
        let reply = client.call("guest-file-open", json!({ "path": "/no/such/file" }));
        assert_eq!(reply.class(), "GenericError");
    }
    soon("it is on record", || shelf.state().modules["file"].versions[0].proven);
    assert!(shelf.state().quarantine.is_empty());
}

#[test]
fn later_the_strikes_of_the_policy_count() {
    let scratch = Scratch::new("strikes");
    let shelf = Shelf::new(&scratch);
    let villain = Sample::villain("traps", 1).proven();
    shelf.put(&villain);
    let agent = shelf.agent(scratch, &[]);
    let mut client = agent.client();
    assert!(!ping(&mut client) && !ping(&mut client), "two failures are too many, one is not");
    assert!(ping(&mut client));
    assert!(agent.log().contains("which is 2 failures within 600 s"), "{}", agent.log());
}

#[test]
fn what_cannot_be_put_on_record_holds_all_the_same_and_is_put_there_later() {
    let villain = Sample::villain("traps", 2);
    let (shelf, agent, mut client) = with_villain(&villain);
    // A folder in the place of the lock: nothing can be changed, whoever one is.
    let (lock, away) = (shelf.root().join("lock"), shelf.root().join("away"));
    std::fs::rename(&lock, &away).unwrap();
    std::fs::create_dir(&lock).unwrap();
    assert!(!ping(&mut client));
    assert!(ping(&mut client));
    soon("it is told", || agent.log().contains("not on record yet"));
    assert!(shelf.state().quarantine.is_empty());
    std::fs::remove_dir(&lock).unwrap();
    std::fs::rename(&away, &lock).unwrap();
    // Whoever touches the store has the agent try again; the villain, which is still current there, does not come back.
    shelf.put(&Sample::again("file", 1, &[]));
    soon("it is on record", || shelf.state().quarantine.contains_key(villain.digest()));
    assert!(ping(&mut client) && ping(&mut client));
}
