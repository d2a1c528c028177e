//! Trees, and what is mounted in them and on them.

use super::yard::{ALL, DENIED, Yard, forbid, ground, permit};
use bulkhead_test_support::agent_under_test;
use nix::unistd::geteuid;
use std::process::Command;

#[test]
fn mounts_are_followed_and_forbidden_trees_found_behind_them() {
    if !geteuid().is_root() {
        return;
    }
    let scratch = ground();
    for folder in ["in/bound", "in/bound-private", "in/bound-deep", "in/covered", "in/private/deep"] {
        std::fs::create_dir(scratch.join(folder)).expect("a folder can be made");
    }
    std::fs::write(scratch.join("in/private/deep/key"), "private").expect("a file can be written");
    let script = scratch.join("agent");
    let mounts = "cd ~ && mount --bind outside in/bound && mount --bind in/private in/bound-private && \
                  mount --bind in/private/deep in/bound-deep && mount --bind in/private/key only && \
                  mount -t tmpfs none in/covered && echo covering >in/covered/file";
    let text = format!(
        "#!/bin/sh\nexec unshare -m sh -ec '{mounts} && exec {} \"$@\"' - \"$@\"\n",
        agent_under_test().display()
    );
    // A shell writes it: a file that a child of another test has open for writing cannot be executed.
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"printf %s "$2" >"$1" && chmod 755 "$1""#, "-"]).arg(&script);
    let text = text.replace('~', scratch.path().to_str().expect("it is text"));
    assert!(shell.arg(text).status().expect("there is a shell").success());
    let permits = permit("\"~/in\", \"~/only\"", ALL);
    let mut yard = Yard::behind(scratch, &script, &permits);
    yard.reads(&[("in/bound/key", "secret"), ("in/bound-deep/key", "private"), ("in/bound/../file", "inside")]);
    let scratch = yard.agent.kill();
    Yard::behind(scratch, &script, &(permits + &forbid("~/in/private", ""))).reads(&[
        ("in/file", "inside"),
        ("in/covered/file", "covering\n"),
        ("in/private/key", DENIED),
        ("in/bound-private/key", DENIED),
        ("in/bound-deep/key", DENIED),
        ("only", DENIED),
        // It might be another way into the forbidden tree: it is on the same disk.
        ("in/bound/key", DENIED),
    ]);
}
