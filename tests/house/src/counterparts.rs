//! Every interface that the host offers has a file of its own at each stop of the road, found by its name.

use crate::{tree, wit};
use std::collections::BTreeSet;

/// Interfaces that act on the agent's own state alone and so stop before the gate.
const HOST_ONLY: &[&str] = &["agent"];

/// Files of `host/src/capability` that serve several interfaces, and that all others may use.
pub(crate) const SHARED_CAPABILITY: &[&str] = &["mod", "compartment", "errno"];

/// Files of `host/gate/src` that belong to no single interface: what one request may have done, how far an open file may be
/// used, who asks, which programs were started, the asking, the list of readable files, the hook script of `freezer`, whose path is the
/// owner's, the second half of `power`, and how a program is run.
const SHARED_GATE: &[&str] = &[
    "lib",
    "allowance",
    "asked",
    "caps",
    "children",
    "hook",
    "judgement",
    "programs",
    "readable",
    "rehearsal",
    "sleep",
];

/// Files of `host/sys` that serve several interfaces: running a program to its end is how `power`, `freezer`,
/// `clock-setting` and `accounts` do what no system call does; `mounts` and `disks` ask what may never be answered; `files`,
/// `processes`, `system-files` and what acts on mount points look paths up, which a filter of tests makes harder; `processes`,
/// `freezer`, `trimmer` and `accounts` ask whether two names are those of one thing.
const SHARED_SYS: &[&str] = &["mod", "filter", "lookup", "names", "patience", "programs"];

/// Files of `host/sys/src` that are no trait of an interface: the whole, who implements it, and what several need.
const SHARED_TRAITS: &[&str] = &["lib", "names", "programs", "readiness", "reading", "rehearsal", "system"];

/// Files of `host/border/src` that are no interface: how one is made, a request, and what several have in common.
const SHARED_BORDER: &[&str] = &["lib", "interface", "refusal", "request"];

#[test]
fn every_interface_that_asks_the_broker_has_its_page_of_the_border() {
    let mut asking = acting();
    // What the agent knows of itself the broker knows, too.
    asking.insert("agent".to_owned());
    same("host/border/src", &asking, &files("host/border/src", SHARED_BORDER));
}

#[test]
fn every_interface_has_its_capability() {
    same(
        "host/src/capability",
        &wit::offered().into_iter().map(file_name).collect(),
        &files("host/src/capability", SHARED_CAPABILITY),
    );
}

#[test]
fn every_interface_that_acts_on_the_system_has_its_gate() {
    same("host/gate/src", &acting(), &files("host/gate/src", SHARED_GATE));
}

#[test]
fn every_gate_has_its_system_calls_and_their_fake() {
    same("host/sys/src", &acting(), &files("host/sys/src", SHARED_TRAITS));
    same("host/sys/src/linux", &acting(), &files("host/sys/src/linux", SHARED_SYS));
    same("host/sys/src/fake", &acting(), &files("host/sys/src/fake", SHARED_SYS));
}

/// What can be granted and reaches the system.
fn acting() -> BTreeSet<String> {
    let apart = |name: &String| wit::CONVERSATION.contains(&name.as_str()) || HOST_ONLY.contains(&name.as_str());
    wit::offered().into_iter().filter(|name| !apart(name)).map(file_name).collect()
}

/// The interface's name as Rust names files.
fn file_name(interface: String) -> String {
    interface.replace('-', "_")
}

fn files(folder: &str, shared: &[&str]) -> BTreeSet<String> {
    tree::rust_files(folder, shared).into_iter().collect()
}

#[track_caller]
fn same(folder: &str, wanted: &BTreeSet<String>, found: &BTreeSet<String>) {
    let missing = wanted.difference(found).map(|name| format!("{folder}/{name}.rs is missing"));
    let extra = found.difference(wanted).map(|name| format!("{folder}/{name}.rs serves no interface"));
    let faults: Vec<String> = missing.chain(extra).collect();
    tree::verdict(
        "An interface of the world `offered` (wit/world.wit) is one file per folder, of the same name. Add the file; or, \
         if it serves several interfaces, name it in the lists of tests/house/src/counterparts.rs.",
        &faults,
    );
}
