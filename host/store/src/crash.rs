//! A process that dies before any step of a change: what it leaves.

use crate::state::State;
use crate::store::tests::{assert_whole, files};
use crate::{Event, Store, StoreError, samples};
use bulkhead_test_support::Scratch;
use std::cell::{Cell, RefCell};
use std::io;
use std::path::{Path, PathBuf};

thread_local! {
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
    static TAKEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Called before each step. Once the countdown has ended every step fails, as if the process were dead.
pub(crate) fn before(what: &'static str, path: &Path) -> Result<(), StoreError> {
    if LEFT.get() == Some(0) {
        let source = io::Error::other("the process is dead");
        return Err(StoreError::Io { what, path: path.to_owned(), source });
    }
    LEFT.set(LEFT.get().map(|left| left - 1));
    TAKEN.with_borrow_mut(|taken| taken.push(format!("{what} {}", path.display())));
    Ok(())
}

/// Runs `change` with only this many steps left to it. Returns whether it needed more.
fn dies_after<T>(steps: usize, change: impl FnOnce() -> Result<T, StoreError>) -> bool {
    LEFT.set(Some(steps));
    let outcome = change();
    let died = LEFT.replace(None) == Some(0) && outcome.is_err();
    assert_eq!(outcome.is_err(), died, "nothing else fails");
    died
}

/// The steps of `change`, in their order.
fn steps_of<T>(change: impl FnOnce() -> Result<T, StoreError>) -> Vec<String> {
    TAKEN.take();
    change().unwrap();
    TAKEN.take()
}

/// Has a process die before every step of `change`, each time in a new store with what `prepare` made of it. Returns
/// after how many deaths the state was the old one, and after how many the new one.
fn die_everywhere(
    name: &str,
    prepare: impl Fn(&Store),
    change: impl Fn(&Store) -> Result<(), StoreError>,
) -> (usize, usize) {
    let (mut old, mut new) = (0, 0);
    for steps in 0.. {
        let scratch = Scratch::new(name);
        let store = Store::new(scratch.path().join("a/store"));
        prepare(&store);
        let before = store.read().unwrap();
        if !dies_after(steps, || change(&store)) {
            assert_whole(&store);
            return (old, new);
        }
        let after = store.read().unwrap();
        assert_whole(&store);
        if after == before {
            old += 1;
        } else {
            assert_eq!(after, made_without_dying(name, &prepare, &change), "after {steps} steps");
            new += 1;
        }
        samples::install(&store, 9).unwrap();
        assert_eq!(store.read().unwrap().running().next().unwrap().manifest.counter, 9, "the next change works");
        assert_every_beginning_has_an_end(&store);
        store.collect().unwrap();
        assert_nothing_is_left_over(&store);
        assert_whole(&store);
    }
    unreachable!("a change has an end")
}

fn made_without_dying(
    name: &str,
    prepare: &impl Fn(&Store),
    change: &impl Fn(&Store) -> Result<(), StoreError>,
) -> State {
    let scratch = Scratch::new(name);
    let store = Store::new(scratch.path().join("store"));
    prepare(&store);
    change(&store).unwrap();
    store.read().unwrap()
}

/// Of the journal: what was begun is done or undone before something else is begun, and is what the state says it is.
fn assert_every_beginning_has_an_end(store: &Store) {
    let (mut open, mut made) = (None, 0);
    for line in store.journal().unwrap() {
        match line.event {
            Event::Begin => {
                assert_eq!(line.revision, made + 1, "what is done counts, and what is undone does not");
                assert_eq!(open.replace(line.what), None);
            }
            Event::Done | Event::Undone => assert_eq!(open.take(), Some(line.what)),
        }
        if line.event == Event::Done {
            made = line.revision;
        }
    }
    assert_eq!((open, made), (None, store.read().unwrap().revision));
}

fn assert_nothing_is_left_over(store: &Store) {
    let state = store.read().unwrap();
    let versions = || state.modules.values().flat_map(|entry| &entry.versions);
    let codes: usize = versions().map(|version| version.codes.len()).sum();
    let count = |folder: &str| files(&store.root().join(folder)).len();
    assert_eq!((count("staging"), count("objects"), count("code")), (0, 2 * versions().count(), codes));
}

fn one_version(store: &Store) {
    samples::install(store, 1).unwrap();
}

#[test]
fn the_first_installation_is_made_or_not() {
    let (old, new) = die_everywhere("first", |_| (), |store| samples::install(store, 1));
    assert!(old > 30 && new > 0, "{old} {new}");
}

#[test]
fn a_later_installation_is_made_or_not() {
    let (old, new) = die_everywhere("later", one_version, |store| samples::install(store, 2));
    assert!(old > 20 && new > 0, "{old} {new}");
}

#[test]
fn installing_the_same_again_leaves_it_whole() {
    let (old, new) = die_everywhere("again", one_version, |store| samples::install(store, 1));
    assert!(old > 20 && new > 0, "{old} {new}");
}

#[test]
fn a_change_of_the_state_is_made_or_not() {
    let prepare = |store: &Store| [1, 2].iter().for_each(|counter| samples::install(store, *counter).unwrap());
    let (old, new) = die_everywhere("update", prepare, |store| {
        store.update("roll back", |state| {
            assert!(state.roll_back(samples::NAME, &samples::version(2).digest, "it trapped", 7));
            Ok(())
        })
    });
    assert!(old > 5 && new > 0, "{old} {new}");
}

#[test]
fn collecting_changes_no_state_wherever_it_ends() {
    let prepare = |store: &Store| {
        [1, 2, 3, 4, 5].iter().for_each(|counter| samples::install(store, *counter).unwrap());
        std::fs::write(store.root().join("staging/left"), "x").unwrap();
    };
    let (old, new) = die_everywhere("collect", prepare, |store| store.collect().map(drop));
    assert!(old > 6 && new == 0, "{old} {new}");
}

/// What a process that dies leaves is what it has written; what a power cut leaves is what it has synced. So this is
/// about the order: nothing is named before it, and the folder it stands in, are on the disk.
#[test]
fn the_state_names_what_is_on_the_disk() {
    let scratch = Scratch::new("order");
    let store = Store::new(scratch.path().join("store"));
    let steps = steps_of(|| samples::install(&store, 1));
    let place = |step: String| {
        steps.iter().rposition(|taken| *taken == step).unwrap_or_else(|| panic!("'{step}' is none of {steps:#?}"))
    };
    let at = |what: &str, path: PathBuf| place(format!("{what} {}", path.display()));
    let root = store.root();
    let state = at("replace", root.join("state.json"));
    for folder in ["objects", "code"] {
        for name in files(&root.join(folder)) {
            let draft = root.join("staging").join(&name);
            let (synced, replaced) = (at("sync", draft.clone()), at("replace", root.join(folder).join(&name)));
            assert!(at("write", draft) < synced && synced < replaced);
            assert!(replaced < at("sync", root.join(folder)) && at("sync", root.join(folder)) < state);
        }
        assert!(at("make", root.join(folder)) < state);
    }
    assert!(at("sync", root.join("staging/state.json")) < state && state < at("sync", root.to_owned()));
    assert!(at("make", root.to_owned()) < at("sync", scratch.path().to_owned()));
    assert!(steps.iter().position(|step| step.ends_with("journal")).unwrap() < state);
}
