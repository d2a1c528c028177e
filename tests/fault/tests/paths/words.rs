//! What the owner permits to be done to a file, and how far.

use super::yard::{ALL, DENIED, Yard, narrow, permit};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

#[test]
fn every_mode_does_what_it_does_without_a_policy() {
    let mut yard = Yard::new(&narrow());
    for (mode, made, then) in
        [("w", "new", "new"), ("a", "new", "newnew"), ("w+", "new", "new"), ("a+", "new", "newnew")]
    {
        let name = format!("in/made-{mode}");
        assert_eq!(yard.write(&name, mode), "written");
        assert_eq!(yard.content(&name), made);
        let permissions = std::fs::metadata(yard.path(&name)).expect("it was made").permissions();
        assert_eq!(permissions.mode() & 0o777, 0o666, "{mode}");
        assert_eq!(yard.write(&name, mode), "written");
        assert_eq!(yard.content(&name), then, "{mode}");
    }
    assert_eq!(yard.write("in/file", "r+"), "written");
    assert_eq!(yard.content("in/file"), "newide");
    assert_eq!(yard.write("in/absent", "r+"), "No such file or directory");
    assert_eq!(yard.write("in/file", "r"), "Bad file descriptor");
    assert_eq!(yard.write("in/sub", "w"), "Is a directory");
}

#[test]
fn each_word_permits_what_it_says() {
    let with = |words: &str| permit("\"~/in\"", &format!("access = [{words}]"));
    let outcomes = |words: &str| {
        let mut yard = Yard::new(&with(words));
        [("file", "r+"), ("file", "a"), ("file", "w"), ("made", "a"), ("made2", "w")]
            .map(|(name, mode)| yard.write(&format!("in/{name}"), mode) == "written")
    };
    assert_eq!(outcomes("\"read\""), [false; 5]);
    assert_eq!(outcomes("\"read\", \"write\""), [true, false, false, false, false]);
    assert_eq!(outcomes("\"append\""), [false, true, false, false, false]);
    assert_eq!(outcomes("\"write\", \"truncate\""), [false, false, true, false, false]);
    assert_eq!(outcomes("\"append\", \"create\""), [false, true, false, true, false]);
    assert_eq!(outcomes("\"write\", \"create\""), [false, false, false, false, true]);
    assert_eq!(Yard::new(&with("\"write\", \"truncate\"")).read("in/file"), DENIED);
}

#[test]
fn a_file_stays_as_small_and_as_slow_as_permitted() {
    let mut yard = Yard::new(&permit("\"~/in\"", &format!("{ALL}\nsize = \"8B\"")));
    assert_eq!(yard.read("in/file"), "inside");
    assert_eq!(yard.write("in/file", "a"), "File too large");
    assert_eq!(yard.content("in/file"), "inside", "nothing is written");
    let handle = yard.open("in/file", "r").expect("it may be opened");
    std::fs::write(yard.path("in/file"), "much larger").expect("the owner writes");
    assert_eq!(yard.ask("guest-file-read", json!({ "handle": handle })), Err("File too large".to_owned()));
    yard.close(handle);
    assert_eq!(yard.read("in/file"), "File too large");
    assert_eq!(yard.write("in/file", "w"), "written", "emptied, it is small");

    let mut yard = Yard::new(&permit("\"~/in\"", &format!("{ALL}\nrate = {{ bytes = \"8B\", seconds = 3600 }}")));
    assert_eq!(yard.write("in/new", "w"), "written");
    assert_eq!(yard.read("in/file"), "insid", "what is left of eight bytes");
    assert_eq!(yard.read("in/file"), "Resource temporarily unavailable");
    assert_eq!(yard.write("in/new", "a"), "Resource temporarily unavailable");
    assert_eq!(yard.content("in/new"), "new");
}

#[test]
fn the_owner_says_how_many_files_may_be_open() {
    let mut yard = Yard::new(&(narrow() + "[[limit]]\nmodules = [\"file\"]\nhandles = 2\n"));
    let first = yard.open("in/file", "r").expect("one may be open");
    yard.open("in/file", "r").expect("two may be open");
    assert_eq!(yard.open("in/file", "r"), Err("Too many open files".to_owned()));
    yard.close(first);
    yard.open("in/file", "r").expect("there is room again");
}
