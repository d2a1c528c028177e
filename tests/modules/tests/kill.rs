//! An install that is killed at each of its system calls leaves the old state or the new one, and nothing that is in the way.

use bulkhead_modules_tests::Place;
use serde_json::Value;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The calls that change or lock something. Each of them is a moment at which a machine may lose its power.
const CALLS: &[&str] =
    &["openat", "write", "fsync", "fdatasync", "rename,renameat,renameat2", "mkdir", "unlink,unlinkat", "flock,fcntl"];

/// How many calls of one kind an install may make. It bounds a test that would otherwise never end; the most are
/// those of openat, some hundred, half of them of the program's start.
const MOST: u32 = 400;

/// Runs an install that is killed at the `number`th of these calls; whether it came through instead.
fn install_killed(place: &Place, file: &Path, calls: &str, number: u32) -> bool {
    let tool = place.command(&["install", file.to_str().unwrap()]);
    let output = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "-e", &format!("trace={calls}")])
        .args(["-e", &format!("inject={calls}:signal=SIGKILL:when={number}")])
        .arg(tool.get_program())
        .args(tool.get_args())
        .stdin(Stdio::null())
        .output()
        .expect("strace can be started");
    match (output.status.signal(), output.status.code()) {
        (Some(9), _) | (_, Some(137)) => false,
        (_, Some(0)) => true,
        _ => panic!("{calls} {number}: {output:?}"),
    }
}

/// The version that runs.
fn current(place: &Place) -> String {
    let list: Value = serde_json::from_str(&place.tool(&["list", "--json"]).good()).expect("the list is JSON");
    let module = &list["installed"][0];
    let versions = module["versions"].as_array().expect("the module is installed");
    let version = versions.iter().find(|version| version["digest"] == module["current"]);
    version.expect("a version is current")["version"].as_str().expect("it has a name").to_owned()
}

#[test]
fn killed_at_any_call_it_is_the_old_version_or_the_new() {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("skipped: no strace (package strace)");
        return;
    }
    let place = Place::new();
    let (old, new) = (place.answers(1), place.answers(2));
    place.install(&old).good();
    let (mut kills, mut olds, mut news) = (0, 0, 0);
    for calls in CALLS {
        let mut number = 1;
        while !install_killed(&place, &new, calls, number) {
            kills += 1;
            match current(&place).as_str() {
                "1.0" => olds += 1,
                "2.0" => news += 1,
                other => panic!("killed at {calls} {number}: {other} runs"),
            }
            let said = place.tool(&["verify"]);
            assert_eq!(said.status, Some(0), "killed at {calls} {number}: {said:?}");
            // As it was before, for the next one; and whatever was left behind is in nobody's way.
            if current(&place) == "2.0" {
                place.tool(&["rollback", "com.example.answer"]).good();
            }
            place.tool(&["gc"]).good();
            number += 1;
            assert!(number < MOST, "{calls}: more calls than an install can need");
        }
        assert_eq!(current(&place), "2.0", "{calls}: the one that was not killed has installed it");
        place.tool(&["rollback", "com.example.answer"]).good();
    }
    println!("{kills} kills: {olds} left the old version, {news} the new one");
    assert!(olds > 10 && news > 0, "{kills} kills hit both sides of the moment: {olds} and {news}");
    place.install(&new).good();
    place.tool(&["verify"]).good();
}
