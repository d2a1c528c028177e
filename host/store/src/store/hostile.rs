//! A store that somebody else could have changed, that was damaged, or whose disk is full.

use super::*;
use crate::samples;
use crate::store::tests::{assert_whole, files};
use bulkhead_test_support::Scratch;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::Uid;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::thread;

/// What a file on a disk in memory is made of, in bytes.
const PAGE: u64 = 4096;

fn installed(name: &str) -> (Scratch, Store) {
    let scratch = Scratch::new(name);
    let store = Store::new(scratch.path().join("store"));
    samples::install(&store, 1).unwrap();
    (scratch, store)
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What reading the state, the component and the machine code says, each of them, and what a change says.
fn all_said(store: &Store) -> [Option<String>; 4] {
    let said = |outcome: Result<(), StoreError>| outcome.err().map(|error| error.to_string());
    let version = samples::version(1);
    [
        said(store.read().map(drop)),
        said(store.component(&version).map(drop)),
        said(store.code(&version.codes[0]).map(drop)),
        said(samples::install(store, 2)),
    ]
}

#[test]
fn a_store_that_is_a_link_or_has_one_in_it_is_refused() {
    for (name, tells) in [
        ("store", [true, true, true, true]),
        ("store/state.json", [true, false, false, true]),
        ("store/objects", [false, true, false, true]),
        ("store/code", [false, false, true, true]),
        ("store/staging", [false, false, false, true]),
        ("store/lock", [false, false, false, true]),
        ("store/journal", [false, false, false, true]),
    ] {
        let (scratch, store) = installed("link");
        let path = scratch.path().join(name);
        fs::rename(&path, scratch.path().join("moved")).unwrap();
        symlink(scratch.path().join("moved"), &path).unwrap();
        let said = all_said(&store);
        assert_eq!(said.each_ref().map(Option::is_some), tells, "{name}: {said:?}");
        let expected = if name == "store/lock" { "cannot open" } else { "is a link" };
        said.into_iter().flatten().for_each(|said| assert!(said.contains(expected), "{name}: {said}"));
    }
    let (_scratch, store) = installed("link-of-an-object");
    let path = store.object(&samples::version(1).digest, "wasm");
    fs::rename(&path, store.root().join("moved")).unwrap();
    symlink(store.root().join("moved"), &path).unwrap();
    let error = store.component(&samples::version(1)).unwrap_err();
    assert!(error.to_string().contains("is a link"), "{error}");
}

#[test]
fn what_others_could_have_written_is_refused() {
    for (name, tells) in [
        ("", [true, true, true, true]),
        ("store", [true, true, true, true]),
        ("store/state.json", [true, false, false, true]),
        ("store/objects", [false, true, false, true]),
        ("store/code", [false, false, true, true]),
        ("store/staging", [false, false, false, true]),
    ] {
        let (scratch, store) = installed("writable");
        let path = scratch.path().join(name);
        for mode in [0o757, 0o775] {
            chmod(&path, mode);
            let said = all_said(&store);
            assert_eq!(said.each_ref().map(Option::is_some), tells, "{name}: {said:?}");
            said.into_iter().flatten().for_each(|said| assert!(said.contains(": chmod go-w"), "{said}"));
        }
        chmod(&path, 0o755);
    }
}

#[test]
fn no_store_is_made_where_others_could_replace_it() {
    let scratch = Scratch::new("nowhere");
    chmod(scratch.path(), 0o777);
    for place in ["store", "more/folders/store"] {
        let store = Store::new(scratch.path().join(place));
        let error = samples::install(&store, 1).unwrap_err();
        assert!(error.to_string().contains(": chmod go-w"), "{error}");
    }
    assert!(files(scratch.path()).is_empty());
}

#[test]
fn a_state_that_is_cut_short_is_refused_at_every_length() {
    let (_scratch, store) = installed("cut");
    let path = store.root().join("state.json");
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(store.read(), Err(StoreError::Broken { .. })), "{length} of {} bytes", whole.len());
    }
    assert!(samples::install(&store, 2).is_err(), "a broken state is not written over");
    fs::write(&path, &whole).unwrap();
    assert_whole(&store);
}

#[test]
fn a_state_with_what_this_agent_does_not_know_is_refused() {
    let (_scratch, store) = installed("unknown");
    let path = store.root().join("state.json");
    let text = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("\"revision\"", "\"more\": 1, \"revision\""),
        ("\"enabled\"", "\"more\": 1, \"enabled\""),
        ("\"signer\"", "\"more\": 1, \"signer\""),
        ("\"form\"", "\"more\": 1, \"form\""),
        ("com.example.backup\": {", "../x\": {"),
    ] {
        assert!(text.contains(from));
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        assert!(matches!(store.read(), Err(StoreError::Broken { .. })), "{to}");
    }
    fs::write(&path, text.replacen("\"revision\": 1", &format!("\"revision\": {}", u64::MAX), 1)).unwrap();
    samples::install(&store, 2).unwrap();
}

#[test]
fn a_state_that_is_too_long_is_refused() {
    let (_scratch, store) = installed("long");
    let file = fs::File::options().write(true).open(store.root().join("state.json")).unwrap();
    file.set_len(STATE + 1).unwrap();
    assert!(store.read().unwrap_err().to_string().contains("is longer than"));
}

#[test]
fn every_flipped_bit_of_a_component_and_of_code_is_found() {
    let (_scratch, store) = installed("flipped");
    let version = samples::version(1);
    let is_found = |path: &Path, read: &dyn Fn() -> Result<(), StoreError>| {
        let whole = fs::read(path).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(path, &bytes).unwrap();
            assert!(matches!(read(), Err(StoreError::Changed(_))), "bit {bit} of {}", path.display());
        }
        fs::write(path, &whole[1..]).unwrap();
        assert!(matches!(read(), Err(StoreError::Changed(_))));
        fs::remove_file(path).unwrap();
        assert!(matches!(read(), Err(StoreError::Io { .. })));
    };
    is_found(&store.object(&version.digest, "wasm"), &|| store.component(&version).map(drop));
    is_found(&store.code_path(&version.codes[0]), &|| store.code(&version.codes[0]).map(drop));
    samples::install(&store, 1).unwrap();
    assert_whole(&store);
}

/// Runs `act` with a disk of this many bytes at `place`; nothing if this is not root.
fn with_disk(place: &Path, size: &str, act: impl FnOnce() + Send) {
    if !Uid::effective().is_root() {
        println!("skipped: only root can mount a disk");
        return;
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            // The thread's own mount table, gone with the thread.
            unshare(CloneFlags::CLONE_NEWNS).expect("root may have a mount table");
            mount(Some("none"), "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).unwrap();
            let options = format!("size={size},mode=755");
            mount(Some("none"), place, Some("tmpfs"), MsFlags::empty(), Some(options.as_str())).unwrap();
            act();
        });
    });
}

#[test]
fn on_a_full_disk_nothing_is_half_installed_and_nothing_is_left() {
    let scratch = Scratch::new("full");
    with_disk(scratch.path(), "128k", || {
        let store = Store::new(scratch.path().join("store"));
        samples::install(&store, 1).unwrap();
        let before = store.read().unwrap();
        let filler = scratch.path().join("filler");
        for pages in 0.. {
            let mut file = fs::File::create(&filler).unwrap();
            while file.write(&[0; PAGE as usize]).is_ok_and(|written| written == PAGE as usize) {}
            let full = file.metadata().unwrap().len();
            file.set_len(full - pages * PAGE).unwrap();
            if samples::install(&store, 2).is_ok() {
                assert!(pages > 3, "three files and the state have a page each");
                break;
            }
            assert_eq!(store.read().unwrap(), before);
            assert_whole(&store);
            let count = |folder: &str| files(&store.root().join(folder)).len();
            assert_eq!((count("staging"), count("objects"), count("code")), (0, 2, 1), "{pages} pages of room");
        }
        assert_whole(&store);
        fs::remove_file(&filler).unwrap();
        samples::install(&store, 3).unwrap();
    });
}

#[test]
fn on_a_read_only_disk_it_is_read_and_not_changed() {
    let scratch = Scratch::new("read-only");
    with_disk(scratch.path(), "1m", || {
        let store = Store::new(scratch.path().join("store"));
        samples::install(&store, 1).unwrap();
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(None::<&str>, scratch.path(), None::<&str>, flags, None::<&str>).unwrap();
        assert_whole(&store);
        for outcome in [samples::install(&store, 2), store.collect().map(drop)] {
            assert!(outcome.unwrap_err().to_string().starts_with("cannot open "));
        }
        assert_whole(&store);
        let other = Store::new(scratch.path().join("other"));
        assert!(samples::install(&other, 1).unwrap_err().to_string().starts_with("cannot make "));
        assert_eq!(other.read().unwrap(), State::default());
    });
}
