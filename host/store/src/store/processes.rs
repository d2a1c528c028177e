//! Several processes that change one store.

use super::*;
use crate::samples;
use crate::store::tests::{assert_whole, files};
use bulkhead_test_support::Scratch;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// The store that a process started by a test changes.
const STORE: &str = "BULKHEAD_TEST_STORE";

/// How many changes each thread of each process makes.
const CHANGES: u64 = 10;

/// A process of its own that does what the ignored test of this name says, with this mask for the modes of new files.
fn another_process(does: &str, mask: &str, store: &Store) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", "umask $1 && shift && exec \"$@\"", "-", mask]).arg(env::current_exe().unwrap());
    command.args(["--exact", &format!("store::processes::{does}"), "--ignored"]).env(STORE, store.root());
    command.stdout(Stdio::null()).spawn().unwrap()
}

#[test]
#[ignore = "it is what another process of a test below does"]
fn install_once() {
    samples::install(&Store::new(env::var_os(STORE).expect("a store")), 1).unwrap();
}

#[test]
#[ignore = "it is what other processes of a test below do"]
fn change_again_and_again() {
    let store = Store::new(env::var_os(STORE).expect("a store"));
    let change = || {
        for _ in 0..CHANGES {
            let count = |state: &mut State| {
                state.modules.get_mut(samples::NAME).unwrap().counter += 1;
                Ok(())
            };
            store.update("count", count).unwrap();
            samples::install(&store, 1).unwrap();
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(change))));
}

#[test]
fn no_change_of_several_processes_is_lost() {
    let scratch = Scratch::new("processes");
    let store = Store::new(scratch.path().join("store"));
    samples::install(&store, 1).unwrap();
    let children: Vec<Child> = (0..3).map(|_| another_process("change_again_and_again", "022", &store)).collect();
    let mut seen = 0;
    let mut running = children;
    while !running.is_empty() {
        // What is read meanwhile is always one state or another.
        let revision = store.read().unwrap().revision;
        assert!(revision >= seen);
        seen = revision;
        running.retain_mut(|child| match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success());
                false
            }
            None => true,
        });
    }
    let state = store.read().unwrap();
    assert_eq!(state.modules[samples::NAME].counter, 1 + 3 * 2 * CHANGES);
    assert_eq!(state.revision, 1 + 2 * 3 * 2 * CHANGES);
    assert_whole(&store);
}

#[test]
fn a_process_that_is_killed_leaves_one_state_or_the_other() {
    let scratch = Scratch::new("killed");
    let store = Store::new(scratch.path().join("store"));
    samples::install(&store, 1).unwrap();
    let mut before = store.read().unwrap().revision;
    for milliseconds in 0..30 {
        let mut child = another_process("change_again_and_again", "022", &store);
        // It is to be killed at work, and not before.
        while store.read().unwrap().revision == before {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
        let revision = store.read().unwrap().revision;
        assert_whole(&store);
        samples::install(&store, 1).unwrap();
        before = store.read().unwrap().revision;
        assert_eq!(before, revision + 1, "the lock went with the process");
    }
    store.collect().unwrap();
    assert!(files(&store.root().join("staging")).is_empty());
    let undone = store.journal().unwrap().iter().filter(|line| line.event == Event::Undone).count();
    assert!(undone > 0, "what a process did not finish is told");
}

#[test]
fn who_waits_too_long_is_told_for_whom() {
    let scratch = Scratch::new("busy");
    let store = Store::new(scratch.path().join("store"));
    samples::install(&store, 1).unwrap();
    let path = store.root().join("lock");
    let held = Lock::wait(&path, "install com.example.backup", lock::PATIENCE).unwrap();
    let error = Lock::wait(&path, "other", Duration::from_millis(50)).err().unwrap().to_string();
    let holder = format!("process {} (install com.example.backup) has held ", std::process::id());
    assert!(error.starts_with(&holder), "{error}");
    let change = |state: &mut State| {
        state.modules.clear();
        Ok(())
    };
    assert!(store.try_update("clear", change).unwrap().is_none(), "it does not wait");
    assert_eq!(store.read().unwrap().modules.len(), 1, "and reading needs no lock");
    drop(held);
    assert!(store.try_update("clear", change).unwrap().is_some());
    assert!(store.read().unwrap().modules.is_empty());
}

#[test]
fn everybody_may_read_a_store_and_nobody_else_write() {
    for mask in ["000", "022", "077"] {
        let scratch = Scratch::new("modes");
        let store = Store::new(scratch.path().join("above/store"));
        assert!(another_process("install_once", mask, &store).wait().unwrap().success());
        assert_whole(&store);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        for folder in ["..", "", "objects", "code", "staging"] {
            let folder = store.root().join(folder);
            assert_eq!(mode(&folder), 0o755);
            for path in files(&folder).into_iter().map(|name| folder.join(name)).filter(|path| path.is_file()) {
                // But nobody else can open the lock, for who can may hold it.
                let expected = if path.ends_with("lock") { 0o600 } else { 0o644 };
                assert_eq!(mode(&path), expected, "{}", path.display());
            }
        }
    }
}
