//! Paths that lead somewhere else than they seem to, against the real agent with a policy of its owner.

mod mounts;
mod races;
mod words;
mod yard;

use nix::unistd::geteuid;
use yard::{ALL, DENIED, Yard, forbid, narrow, permit, wide};

#[test]
fn dots_and_slashes_lead_where_they_lead() {
    Yard::new(&narrow()).reads(&[
        ("in/file", "inside"),
        ("in/sub/key", "inside"),
        ("in//.//sub/../file", "inside"),
        ("in/../in/file", "inside"),
        ("in/../outside/key", DENIED),
        ("in/sub/../../outside/key", DENIED),
        ("in/../../../../../../../../etc/passwd", DENIED),
        ("outside/key", DENIED),
        ("in2/file", DENIED),
        ("in", "Is a directory"),
        ("in/sub/", "Is a directory"),
        ("outside", DENIED),
        ("", DENIED),
        ("relative", DENIED),
    ]);
}

#[test]
fn links_are_refused_unless_permitted() {
    for link in
        ["inner", "outer", "absolute", "absolute-outer", "way-out/key", "way/key", "chain", "loop", "to-private"]
    {
        assert_eq!(Yard::new(&narrow()).read(&format!("in/{link}")), DENIED, "{link}");
    }
    assert_eq!(Yard::new(&narrow()).read("alias/file"), DENIED);
}

#[test]
fn permitted_links_lead_no_further_than_the_tree() {
    let mut yard = Yard::new(&(wide() + &forbid("~/in/private", "")));
    yard.reads(&[
        ("in/inner", "inside"),
        ("in/absolute", "inside"),
        ("in/way/key", "inside"),
        ("alias/file", "inside"),
        ("in/outer", DENIED),
        ("in/absolute-outer", DENIED),
        ("in/way-out/key", DENIED),
        ("in/way-out/absent", DENIED),
        ("in/way-out/../in/file", "inside"),
        ("in/chain", DENIED),
        ("in/loop", DENIED),
        ("in/loop/x", DENIED),
        ("in/dangling", DENIED),
        ("in/to-private", DENIED),
        ("in/magic/etc/passwd", DENIED),
    ]);
}

#[test]
fn links_of_processes_lead_nowhere() {
    for rules in [narrow(), wide()] {
        let mut yard = Yard::new(&rules);
        let inside = yard.text("in/file");
        for root in ["/proc/self/root", "/proc/1/root", "/proc/thread-self/root", "/proc/self/task/../root"] {
            assert_eq!(yard.read(&format!("{root}{inside}")), DENIED, "{root}");
        }
        let kept = yard.open("in/file", "r").expect("it may be opened");
        for number in 0..32 {
            assert_eq!(yard.read(&format!("/proc/self/fd/{number}")), DENIED, "{number}");
            assert_eq!(yard.read(&format!("/dev/fd/{number}")), DENIED, "{number}");
        }
        yard.reads(&[("/proc/self/cwd/in/file", DENIED), ("/proc/self/exe", DENIED), ("/dev/stdin", DENIED)]);
        yard.close(kept);
    }
}

#[test]
fn a_file_with_another_name_is_refused_unless_permitted() {
    assert_eq!(Yard::new(&narrow()).read("in/name"), DENIED);
    assert_eq!(Yard::new(&wide()).read("in/name"), "secret", "the owner takes the risk");
    let mut yard = Yard::new(&(wide() + &forbid("~/outside", "")));
    assert_eq!(yard.read("in/name"), DENIED, "its other name may be what is forbidden");
    assert_eq!(yard.read("in/file"), "inside");
}

#[test]
fn specials_are_refused_unless_permitted_and_never_block() {
    for special in ["fifo", "zero", "socket"] {
        assert_eq!(Yard::new(&narrow()).read(&format!("in/{special}")), DENIED, "{special}");
        assert_eq!(Yard::new(&narrow()).write(&format!("in/{special}"), "w"), DENIED, "{special}");
    }
    let mut yard = Yard::new(&wide());
    yard.reads(&[("in/fifo", ""), ("in/socket", "No such device or address")]);
    assert_eq!(yard.write("in/fifo", "w"), "No such device or address");
    if geteuid().is_root() {
        assert_eq!(yard.read("in/zero").len(), 4096);
    }
}

#[test]
fn what_is_missing_is_told_of_the_tree_alone() {
    let mut yard = Yard::new(&narrow());
    let long = "x".repeat(256);
    let steps = "x/".repeat(2000);
    yard.reads(&[
        ("in/absent", "No such file or directory"),
        ("in/no/such/file", "No such file or directory"),
        ("in/sub/no/../key", "No such file or directory"),
        ("in/file/", "Not a directory"),
        ("in/file/x", "Not a directory"),
        ("in/file/..", "Not a directory"),
        (&format!("in/{long}"), "File name too long"),
        (&format!("in/{}", "./".repeat(2048)), "File name too long"),
        (&format!("in/{steps}x"), "No such file or directory"),
        ("absent", DENIED),
        ("no/such/file", DENIED),
        ("outside/absent", DENIED),
        ("outside/key/", DENIED),
        ("outside/key/x", DENIED),
        (&format!("outside/{long}"), DENIED),
        (&format!("outside/{}", "./".repeat(2048)), DENIED),
        (&format!("outside/{steps}x"), DENIED),
        ("in/file\0", DENIED),
        ("in/../outside/key\0.txt", DENIED),
    ]);
    for mode in ["w", "a", "r+", "w+", "a+"] {
        assert_eq!(yard.write("outside/absent", mode), DENIED);
        assert_eq!(yard.write("outside/no/such", mode), DENIED);
        assert_eq!(yard.write("outside/key", mode), DENIED);
    }
    assert_eq!(yard.write("in/new/", "w"), "Is a directory");
}

#[test]
fn nothing_is_written_emptied_or_made_outside() {
    for rules in [narrow(), wide()] {
        let mut yard = Yard::new(&rules);
        for mode in ["w", "a", "r+", "w+", "a+", "wb", "ab+"] {
            for name in [
                "outer",
                "absolute-outer",
                "way-out/key",
                "way-out/new",
                "chain",
                "dangling",
                "dangling/",
                "../outside/key",
            ] {
                assert_eq!(yard.write(&format!("in/{name}"), mode), DENIED, "{name} {mode}");
            }
        }
        assert_eq!(yard.content("outside/key"), "secret");
        assert!(!yard.path("outside/new").exists());
        assert!(yard.path("in/dangling").is_symlink());
    }
}

#[test]
fn a_forbidden_tree_in_a_permitted_one() {
    let mut yard = Yard::new(&(narrow() + &forbid("~/in/private", "")));
    yard.reads(&[
        ("in/file", "inside"),
        ("in/private/key", DENIED),
        ("in/private/absent", DENIED),
        ("in/private", DENIED),
        ("in/sub/../private/key", DENIED),
        ("in/private/../file", "inside"),
    ]);
    assert_eq!(yard.write("in/private/new", "w"), DENIED);
    assert!(!yard.path("in/private/new").exists());
    let mut yard = Yard::new(&(narrow() + &forbid("~/in/private", "access = [\"write\", \"append\"]")));
    assert_eq!(yard.read("in/private/key"), "private", "reading is not forbidden");
    assert_eq!(yard.write("in/private/key", "a"), DENIED);
    let mut yard = Yard::new(&(narrow() + &forbid("~/in/later", "")));
    assert_eq!(yard.write("in/later", "w"), DENIED, "it is not there, and stays so");
    assert_eq!(yard.write("in/later2", "w"), "written");
}

#[test]
fn a_tree_can_be_a_single_file() {
    let mut yard = Yard::new(&permit("\"~/only\", \"~/later\"", ALL));
    yard.reads(&[
        ("only", "only"),
        ("only/", "Not a directory"),
        ("only/x", "Not a directory"),
        ("policy.toml", DENIED),
    ]);
    assert_eq!(yard.write("later", "w"), "written", "it may be made");
    assert_eq!(yard.write("later2", "w"), DENIED);
    assert_eq!(yard.read("later"), "new");
}

#[test]
fn a_tree_that_is_a_link_is_roots_choice_or_nobodys() {
    let mut yard = Yard::new(&permit("\"~/alias\"", ALL));
    // The yard lies in a folder where everybody can put a link.
    yard.reads(&[("alias/file", DENIED), ("in/file", DENIED)]);
    let mut yard = Yard::new(&(narrow() + &forbid("~/alias", "")));
    yard.reads(&[("in/file", DENIED)]);
}
