//! Machine code that was made for another engine, as an older or a newer agent leaves it: the agent has it made anew.

use bulkhead_modules_tests::Place;
use bulkhead_swapping::{COMMAND, both_installed, number, soon, start};
use bulkhead_test_support::{Agent, Scratch, agent_under_test};
use nix::unistd::geteuid;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A program that is the agent where `/etc/bulkhead/keys.d` is the place's folder of keys: the agent tells the tool of no other.
fn agent_with_keys(place: &Place) -> PathBuf {
    let (etc, script) = (place.path("etc"), place.path("agent"));
    fs::create_dir_all(etc.join("bulkhead/keys.d")).unwrap();
    for key in fs::read_dir(place.path("keys.d")).unwrap() {
        let key = key.unwrap();
        fs::copy(key.path(), etc.join("bulkhead/keys.d").join(key.file_name())).unwrap();
    }
    let text = format!(
        "#!/bin/sh\nexec unshare -m sh -ec 'mount --bind {} /etc && exec {} \"$@\"' - \"$@\"\n",
        etc.display(),
        agent_under_test().display()
    );
    // A shell writes it: a file that a child of another test has open for writing cannot be executed.
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"printf %s "$2" >"$1" && chmod 755 "$1""#, "-"]).arg(&script);
    assert!(shell.arg(text).status().expect("there is a shell").success());
    script
}

fn of_another_engine(place: &Place) -> String {
    let path = place.store().join("state.json");
    let sound = fs::read_to_string(&path).unwrap();
    assert!(sound.contains(bulkhead_engine::IDENTITY));
    let other = sound.replace(bulkhead_engine::IDENTITY, "wasmtime 1.2.3, configuration 0");
    fs::write(&path, other).unwrap();
    sound
}

fn started(place: &Place) -> Agent {
    start(place, &agent_with_keys(place), Scratch::new("anew"), &[])
}

#[test]
fn the_agent_has_it_compiled_and_serves_it_without_a_restart() {
    if !geteuid().is_root() {
        println!("skipped: only root can have an /etc/bulkhead of its own");
        return;
    }
    let (place, _) = both_installed();
    let sound = of_another_engine(&place);
    let agent = started(&place);
    let mut client = agent.client();
    soon("the module answers", || client.call(COMMAND, Value::Null).value.get("return").is_some());
    assert_eq!(number(&client.call(COMMAND, Value::Null)), 2);
    let log = agent.log();
    assert!(log.contains("it is not compiled for this agent: bulkhead module recompile"), "{log}");
    assert_eq!(log.matches("modules are compiled anew").count(), 1, "{log}");
    let engines = |text: &str| text.matches(bulkhead_engine::IDENTITY).count();
    soon("the version that is kept is compiled too", || {
        engines(&fs::read_to_string(place.store().join("state.json")).unwrap()) == engines(&sound)
    });
    // The version before it can be rolled back to, as ever.
    place.tool(&["rollback", "com.example.answer"]).good();
    soon("the other version answers", || number(&client.call(COMMAND, Value::Null)) == 1);
}

#[test]
fn whose_key_is_gone_is_not_compiled() {
    if !geteuid().is_root() {
        println!("skipped: only root can have an /etc/bulkhead of its own");
        return;
    }
    let (place, _) = both_installed();
    of_another_engine(&place);
    fs::remove_file(place.path("keys.d/vendor.pub")).unwrap();
    let agent = started(&place);
    let mut client = agent.client();
    soon("it is told", || agent.log().contains("bulkhead module recompile has failed"));
    assert_eq!(client.call(COMMAND, Value::Null).class(), "CommandNotFound");
    assert_eq!(client.call("guest-ping", Value::Null).ok(), serde_json::json!({}));
}
