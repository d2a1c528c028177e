use super::*;
use crate::samples;

/// The state after the versions with these counters were installed, in this order.
fn installed(counters: &[u64]) -> State {
    let mut state = State::default();
    for counter in counters {
        state.modules.entry(samples::NAME.to_owned()).or_default().add(samples::version(*counter));
    }
    state
}

fn kept(state: &State) -> Vec<u64> {
    state.modules[samples::NAME].versions.iter().map(|version| version.manifest.counter).collect()
}

fn running(state: &State) -> Option<u64> {
    state.running().next().map(|version| version.manifest.counter)
}

fn roll_back(state: &mut State, counter: u64) -> bool {
    state.roll_back(samples::NAME, &samples::version(counter).digest, "it trapped", 7)
}

#[test]
fn the_last_three_versions_are_kept() {
    let state = installed(&[1, 2, 3, 4]);
    assert_eq!((kept(&state), running(&state)), (vec![4, 3, 2], Some(4)));
    let entry = &state.modules[samples::NAME];
    assert!(entry.enabled && entry.counter == 4);
    state.check().unwrap();
}

#[test]
fn a_version_that_comes_again_is_there_once() {
    let state = installed(&[1, 2, 1]);
    assert_eq!((kept(&state), running(&state)), (vec![1, 2], Some(1)));
    assert_eq!(state.modules[samples::NAME].counter, 2, "the counter never goes back");
    state.check().unwrap();
}

#[test]
fn what_was_left_goes_before_what_ran() {
    let mut state = installed(&[1, 2, 3]);
    assert!(roll_back(&mut state, 3));
    state.modules.get_mut(samples::NAME).unwrap().add(samples::version(4));
    assert_eq!(kept(&state), [4, 2, 1], "3 was left for 2, which was left for nothing");
}

#[test]
fn a_module_that_the_owner_disabled_stays_so_when_updated_but_not_when_removed() {
    let mut state = installed(&[1]);
    let entry = state.modules.get_mut(samples::NAME).unwrap();
    entry.enabled = false;
    entry.add(samples::version(2));
    assert!(!entry.enabled);
    (entry.versions, entry.current) = (Vec::new(), None);
    entry.add(samples::version(3));
    assert!(entry.enabled);
}

#[test]
fn it_is_rolled_back_version_by_version_to_the_built_in() {
    let mut state = installed(&[1, 2, 3]);
    for (bad, then) in [(3, Some(2)), (2, Some(1)), (1, None)] {
        assert!(roll_back(&mut state, bad));
        assert_eq!(running(&state), then);
        state.check().unwrap();
    }
    assert_eq!(state.quarantine.len(), 3);
    assert_eq!(state.quarantine[&samples::version(2).digest].version, "2.0");
    assert!(state.release(&samples::version(2).digest) && !state.release(&samples::version(2).digest));
    assert_eq!(running(&state), None, "released is not current");
}

#[test]
fn a_version_that_is_bad_but_not_current_does_not_move_the_current_one() {
    let mut state = installed(&[1, 2]);
    assert!(roll_back(&mut state, 1));
    assert_eq!(running(&state), Some(2));
    assert!(roll_back(&mut state, 2));
    assert_eq!(running(&state), None, "1 was bad already");
    assert!(!roll_back(&mut state, 9), "there is none such");
}

#[test]
fn what_is_in_quarantine_or_disabled_does_not_run() {
    let mut state = installed(&[1]);
    state.modules.get_mut(samples::NAME).unwrap().enabled = false;
    assert_eq!(running(&state), None);
    state.modules.get_mut(samples::NAME).unwrap().enabled = true;
    roll_back(&mut state, 1);
    state.modules.get_mut(samples::NAME).unwrap().current = Some(samples::version(1).digest);
    assert_eq!(running(&state), None);
}

#[test]
fn the_quarantine_is_bounded_and_forgets_the_oldest_that_cannot_run() {
    let mut state = installed(&[1, 2]);
    roll_back(&mut state, 1);
    let old = state.quarantine.values().next().unwrap().clone();
    for number in 0..QUARANTINED {
        let since = 8 + number as u64;
        state.quarantine.insert(digest::of(&number.to_le_bytes()), Quarantine { since, ..old.clone() });
    }
    roll_back(&mut state, 2);
    assert_eq!(state.quarantine.len(), QUARANTINED);
    assert!(state.quarantine.contains_key(&samples::version(1).digest), "it is kept, so it could run");
    assert!(!state.quarantine.contains_key(&digest::of(&0usize.to_le_bytes())));
}

#[test]
fn a_state_without_sense_is_refused() {
    let wrong = |change: &dyn Fn(&mut State)| {
        let mut state = installed(&[1, 2]);
        change(&mut state);
        state.check().unwrap_err()
    };
    let entry = |state: &mut State, change: &dyn Fn(&mut Entry)| change(state.modules.get_mut(samples::NAME).unwrap());
    for digest in ["", "../../etc/passwd", &"A".repeat(64), &"0".repeat(63), &"0".repeat(65)] {
        assert!(wrong(&|state| entry(state, &|it| it.versions[1].digest = digest.to_owned())).contains("SHA-256"));
        assert!(
            wrong(&|state| entry(state, &|it| it.versions[1].codes[0].digest = digest.to_owned())).contains("SHA-256")
        );
        let quarantine = Quarantine { module: String::new(), version: String::new(), reason: String::new(), since: 0 };
        assert!(
            wrong(&|state| drop(state.quarantine.insert(digest.to_owned(), quarantine.clone()))).contains("SHA-256")
        );
    }
    assert!(wrong(&|state| entry(state, &|it| it.current = Some("0".repeat(64)))).contains("not one of those"));
    assert!(wrong(&|state| entry(state, &|it| it.versions[0].manifest.name = "file".into())).contains("should"));
    assert!(wrong(&|state| entry(state, &|it| it.versions[1] = it.versions[0].clone())).contains("twice"));
    assert!(wrong(&|state| entry(state, &|it| it.counter = 1)).contains("counter"));
    let rename = |state: &mut State| {
        let entry = state.modules.remove(samples::NAME).unwrap();
        state.modules.insert("../x".to_owned(), entry);
    };
    assert!(wrong(&rename).contains("not a name of a module"));
}
