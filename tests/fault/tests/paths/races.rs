//! Somebody in the VM who exchanges what a path leads to while it is judged.

use super::yard::{DENIED, Yard, narrow, wide};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Exchanges two names, over and over, until it is dropped.
struct Swapper(Arc<AtomicBool>, Option<JoinHandle<()>>);

impl Swapper {
    fn new(one: PathBuf, other: PathBuf) -> Self {
        let go_on = Arc::new(AtomicBool::new(true));
        let theirs = Arc::clone(&go_on);
        let thread = std::thread::spawn(move || {
            while theirs.load(Ordering::Relaxed) {
                renameat2(AT_FDCWD, &one, AT_FDCWD, &other, RenameFlags::RENAME_EXCHANGE)
                    .expect("names can be exchanged");
            }
        });
        Swapper(go_on, Some(thread))
    }
}

impl Drop for Swapper {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
        self.1.take().map(JoinHandle::join);
    }
}

/// Opens `name` 5,000 times, in turns for reading and with `mode`, while `one` and `other` are exchanged. `#` in the name is a
/// number, so that each time another file is made.
fn race(rules: &str, (one, other): (&str, &str), name: &str, mode: &str) {
    let mut yard = Yard::new(rules);
    std::fs::create_dir(yard.path("in/trap")).expect("a folder can be made");
    for (target, link) in [("../../outside/key", "in/trap/key"), ("../outside", "in/door")] {
        symlink(target, yard.path(link)).expect("a link can be made");
    }
    let swapper = Swapper::new(yard.path(one), yard.path(other));
    let (mut opened, mut refused) = (0, 0);
    for turn in 0..2500 {
        let text = yard.read(name);
        assert_ne!(text, "secret", "turn {turn}");
        match yard.write(&name.replace('#', &turn.to_string()), mode).as_str() {
            "written" => opened += 1,
            DENIED | "Resource temporarily unavailable" => refused += 1,
            other => panic!("turn {turn}: {other}"),
        }
    }
    drop(swapper);
    assert!(opened > 0 && refused > 0, "{opened} opened, {refused} refused: there was no race");
    assert_eq!(yard.content("outside/key"), "secret");
    let outside: Vec<_> = std::fs::read_dir(yard.path("outside")).expect("it can be listed").collect();
    assert_eq!(outside.len(), 2, "{outside:?}");
}

#[test]
fn a_folder_that_becomes_a_link() {
    race(&narrow(), ("in/sub", "in/door"), "in/sub/key", "w");
    race(&wide(), ("in/sub", "in/door"), "in/sub/key", "r+");
}

#[test]
fn a_file_that_becomes_a_link() {
    race(&narrow(), ("in/file", "in/trap/key"), "in/file", "w");
    race(&wide(), ("in/file", "in/trap/key"), "in/file", "a");
}

#[test]
fn a_folder_that_becomes_a_link_while_files_are_made_in_it() {
    race(&narrow(), ("in/sub", "in/door"), "in/sub/new-#", "w");
    race(&wide(), ("in/sub", "in/door"), "in/sub/new-#", "a+");
}
