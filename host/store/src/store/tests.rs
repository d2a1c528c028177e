//! What a store is for.

use super::*;
use crate::samples::{self, NAME};
use bulkhead_test_support::Scratch;
use std::fs;

/// The names of the files of a folder, sorted; none if there is no such folder.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Every file that the state names is there, and is what the state says.
pub(crate) fn assert_whole(store: &Store) {
    let state = store.read().unwrap();
    for version in state.modules.values().flat_map(|entry| &entry.versions) {
        let (component, signature) = store.component(version).unwrap();
        assert_eq!((component, signature.as_str()), (samples::component(version.manifest.counter), "a signature"));
        for code in &version.codes {
            assert_eq!(store.code(code).unwrap(), samples::code(version.manifest.counter).1);
        }
    }
}

fn store(name: &str) -> (Scratch, Store) {
    let scratch = Scratch::new(name);
    let store = Store::new(scratch.path().join("store"));
    (scratch, store)
}

#[test]
fn a_store_that_is_not_there_is_empty_and_stays_away() {
    let (_scratch, store) = store("none");
    assert_eq!(store.read().unwrap(), State::default());
    assert_eq!(store.collect().unwrap(), (0, 0));
    assert!(store.journal().unwrap().is_empty());
    assert!(!store.root().exists());
}

#[test]
fn what_is_installed_is_there_again() {
    let (_scratch, store) = store("install");
    samples::install(&store, 1).unwrap();
    samples::install(&store, 2).unwrap();
    let state = store.read().unwrap();
    assert_eq!(state.revision, 2);
    assert_eq!(state.running().collect::<Vec<_>>(), [&samples::version(2)]);
    assert_whole(&store);
    assert_eq!(files(store.root()), ["code", "journal", "lock", "objects", "staging", "state.json"]);
    assert!(files(&store.root().join("staging")).is_empty());
    let events: Vec<_> = store.journal().unwrap().into_iter().map(|it| (it.event, it.revision, it.what)).collect();
    let line = |event, counter: u64| (event, counter, format!("install {NAME} {counter}"));
    assert_eq!(events, [line(Event::Begin, 1), line(Event::Done, 1), line(Event::Begin, 2), line(Event::Done, 2)]);
}

#[test]
fn a_change_that_is_refused_or_changes_nothing_writes_nothing() {
    let (_scratch, store) = store("refused");
    samples::install(&store, 1).unwrap();
    let before = fs::metadata(store.root().join("state.json")).unwrap().modified().unwrap();
    let refuse = |state: &mut State| -> Result<(), StoreError> {
        state.modules.clear();
        Err(StoreError::Refused("no".to_owned()))
    };
    assert_eq!(store.update("refused", refuse).unwrap_err().to_string(), "no");
    let (code, bytes) = samples::code(2);
    store.install("refused", &samples::component(2), "", &[(code, bytes)], refuse).unwrap_err();
    assert_eq!(store.update("nothing", |state| Ok(state.modules.len())).unwrap(), 1);
    assert_eq!(fs::metadata(store.root().join("state.json")).unwrap().modified().unwrap(), before);
    assert_eq!((store.journal().unwrap().len(), files(&store.root().join("objects")).len()), (2, 2));
}

#[test]
fn a_change_that_would_break_the_state_is_refused() {
    let (_scratch, store) = store("senseless");
    let error = store.update("break", |state| {
        state.modules.entry("../x".to_owned()).or_default();
        Ok(())
    });
    assert!(error.unwrap_err().to_string().contains("'../x' is not a name of a module"));
    store.read().unwrap();
}

#[test]
fn machine_code_that_is_not_what_it_is_said_to_be_is_refused() {
    let (_scratch, store) = store("lie");
    let (code, _) = samples::code(1);
    let error = store.install("lie", &samples::component(1), "", &[(code, b"other".to_vec())], |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("machine code for x86-64"), "{error}");
    assert!(!store.root().exists());
}

#[test]
fn what_is_too_long_to_be_read_again_is_not_installed() {
    let (_scratch, store) = store("long");
    let (component, text) = (vec![0; COMPONENT as usize + 1], " ".repeat(SIGNATURE as usize + 1));
    let bytes = vec![0; CODE as usize + 1];
    let code = Code { digest: digest::of(&bytes), ..samples::code(1).0 };
    let codes = [(code, bytes)];
    for (component, signature, codes) in [(&component[..], "", &[][..]), (b"", &text, &[]), (b"", "", &codes)] {
        let error = store.install("long", component, signature, codes, |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("and can have"), "{error}");
    }
    assert!(!store.root().exists());
    store.install("long", &component[1..], &text[1..], &[], |_| Ok(())).unwrap();
}

#[test]
fn collecting_removes_what_no_version_needs() {
    let (_scratch, store) = store("collect");
    (1..=5).for_each(|counter| samples::install(&store, counter).unwrap());
    assert_eq!(files(&store.root().join("objects")).len(), 10, "an installation removes nothing");
    let left = store.root().join("staging/left");
    fs::write(&left, "12345").unwrap();
    let (removed, bytes) = store.collect().unwrap();
    let gone = |counter| samples::component(counter).len() + "a signature".len() + samples::code(counter).1.len();
    assert_eq!((removed, bytes as usize), (7, 5 + gone(1) + gone(2)), "two versions of three files, and a draft");
    assert!(!left.exists());
    assert_whole(&store);
    assert_eq!(store.collect().unwrap(), (0, 0));
}

#[test]
fn the_journal_is_bounded_and_survives_damage() {
    let (_scratch, store) = store("journal");
    samples::install(&store, 1).unwrap();
    let path = store.root().join("journal");
    let change = |name: &str| {
        let flip = |state: &mut State| {
            state.modules.get_mut(NAME).unwrap().enabled ^= true;
            Ok(())
        };
        store.update(name, flip).unwrap();
        store.journal().unwrap()
    };
    fs::write(&path, "{\"time\": 1, \"ev").unwrap();
    assert_eq!(change("after half a line").len(), 2);
    fs::write(&path, "x\n".repeat(200_000)).unwrap();
    assert_eq!(change("after a long one").len(), 2);
    assert_eq!(files(store.root()).iter().filter(|name| name.starts_with("journal")).count(), 2);
    fs::write(&path, "x\n".repeat(500_000)).unwrap();
    assert_eq!(change("after one that is too long to be read").len(), 2);
    assert_eq!(fs::metadata(path.with_extension("1")).unwrap().len(), 1_000_000);
    fs::remove_file(&path).unwrap();
    assert_eq!(change("without one").len(), 2);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    store.read().unwrap();
}
