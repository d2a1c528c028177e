//! A store that is gone, broken or cannot be written: the agent keeps answering with what it had.

use bulkhead_swapping::{Sample, Shelf, soon};
use bulkhead_test_support::{Agent, Client, Scratch};
use serde_json::Value;
use std::fs;

const FIRST: &str = "__org.example_first";

fn serves(client: &mut Client, command: &str) -> bool {
    client.call("guest-info", Value::Null).ok().to_string().contains(command)
}

fn with_first(name: &str) -> (Shelf, Agent, Client) {
    let scratch = Scratch::new(name);
    let shelf = Shelf::new(&scratch);
    shelf.put(&Sample::again("core", 1, &[FIRST]));
    let agent = shelf.agent(scratch, &[]);
    let mut client = agent.client();
    assert!(serves(&mut client, FIRST));
    (shelf, agent, client)
}

#[test]
fn a_state_that_is_no_json_changes_nothing() {
    let (shelf, agent, mut client) = with_first("broken");
    let state = shelf.root().join("state.json");
    let sound = fs::read(&state).unwrap();
    fs::write(&state, &sound[..sound.len() / 2]).unwrap();
    soon("it is told", || agent.log().contains("the modules stay what they are: "));
    assert!(serves(&mut client, FIRST));
    fs::write(&state, &sound).unwrap();
    shelf.put(&Sample::again("core", 2, &["__org.example_second"]));
    soon("a sound one counts again", || serves(&mut client, "__org.example_second"));
}

#[test]
fn a_store_that_goes_and_comes_back() {
    let (shelf, agent, mut client) = with_first("gone");
    let away = shelf.root().with_file_name("away");
    fs::rename(shelf.root(), &away).unwrap();
    soon("it is told", || agent.log().contains("is gone"));
    assert!(serves(&mut client, FIRST));
    fs::rename(&away, shelf.root()).unwrap();
    // Until it is read again the agent cannot know of it; and then it watches it again.
    shelf.put(&Sample::again("core", 2, &["__org.example_second"]));
    soon("it is watched again", || serves(&mut client, "__org.example_second"));
}

#[test]
fn a_store_that_comes_later() {
    let scratch = Scratch::new("later");
    let shelf = Shelf::new(&scratch);
    let agent = shelf.agent(scratch, &[]);
    let mut client = agent.client();
    assert!(!serves(&mut client, FIRST));
    shelf.put(&Sample::again("core", 1, &[FIRST]));
    soon("it serves", || serves(&mut client, FIRST));
}

#[test]
fn code_that_was_changed_is_not_loaded() {
    let (shelf, agent, mut client) = with_first("changed");
    let second = Sample::again("core", 2, &["__org.example_second"]);
    shelf.put(&second);
    soon("it serves", || serves(&mut client, "__org.example_second"));
    for entry in fs::read_dir(shelf.root().join("code")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
    }
    shelf.choose("core", Some(Sample::again("core", 1, &[FIRST]).digest()));
    soon("it is told", || agent.log().contains("module core 1.0 is left out: "));
    soon("the built-in module serves", || !serves(&mut client, FIRST) && !serves(&mut client, "__org.example_second"));
    assert!(agent.log().contains("was changed since it was installed"), "{}", agent.log());
}
