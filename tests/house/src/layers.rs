//! Imports point down only.

use crate::counterparts::SHARED_CAPABILITY;
use crate::{rust, tree};
use serde_json::Value;

/// What each package may import of the house, from the bottom up.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("bulkhead-schema", &[]),
    ("bulkhead-catalog", &["bulkhead-schema"]),
    ("bulkhead-protocol", &[]),
    ("bulkhead-audit", &[]),
    ("bulkhead-border", &[]),
    ("bulkhead-policy", &[]),
    ("bulkhead-os", &[]),
    ("bulkhead-watch", &[]),
    ("bulkhead-sys", &["bulkhead-border"]),
    ("bulkhead-config", &[]),
    ("bulkhead-engine", &[]),
    ("bulkhead-trust", &[]),
    ("bulkhead-store", &["bulkhead-policy", "bulkhead-schema", "bulkhead-trust"]),
    ("bulkhead-gate", &["bulkhead-border", "bulkhead-catalog", "bulkhead-sys", "bulkhead-policy"]),
    ("bulkhead-compile", &["bulkhead-engine"]),
    (
        "bulkhead-broker",
        &[
            "bulkhead-audit",
            "bulkhead-border",
            "bulkhead-catalog",
            "bulkhead-config",
            "bulkhead-gate",
            "bulkhead-os",
            "bulkhead-policy",
            "bulkhead-store",
            "bulkhead-sys",
            "bulkhead-trust",
        ],
    ),
    (
        "bulkhead-host",
        &[
            "bulkhead-audit",
            "bulkhead-border",
            "bulkhead-broker",
            "bulkhead-catalog",
            "bulkhead-config",
            "bulkhead-engine",
            "bulkhead-gate",
            "bulkhead-os",
            "bulkhead-policy",
            "bulkhead-protocol",
            "bulkhead-schema",
            "bulkhead-store",
            "bulkhead-sys",
            "bulkhead-trust",
            "bulkhead-watch",
        ],
    ),
    (
        "bulkhead-tools",
        &[
            "bulkhead-audit",
            "bulkhead-border",
            "bulkhead-broker",
            "bulkhead-catalog",
            "bulkhead-config",
            "bulkhead-engine",
            "bulkhead-gate",
            "bulkhead-host",
            "bulkhead-os",
            "bulkhead-policy",
            "bulkhead-protocol",
            "bulkhead-schema",
            "bulkhead-store",
            "bulkhead-sys",
            "bulkhead-trust",
        ],
    ),
    ("bulkhead-module", &[]),
    ("bulkhead-zone", &[]),
];

/// What a guest module may import of the house. The schema is for its build script.
const MODULE_MAY_IMPORT: &[&str] = &["bulkhead-module", "bulkhead-schema", "bulkhead-zone"];

/// The packages that know of wasm.
const MAY_IMPORT_WASMTIME: &[&str] = &["bulkhead-engine", "bulkhead-compile", "bulkhead-host"];

/// Where the host names the system without the gate: where the gate is put in front of it, and where programs' pipes are moved.
const MAY_NAME_SYS: &[&str] = &[
    "host/src/main.rs",
    "host/broker/src/children.rs",
    "host/broker/src/children/",
    // The system that only pretends, for trying a module.
    "host/tools/src/authoring/try_out/",
];

#[test]
fn packages_import_downwards() {
    let mut faults = Vec::new();
    for package in packages() {
        let allowed = match package.name.strip_prefix("bulkhead-module-") {
            Some(_) => Some(&MODULE_MAY_IMPORT),
            None => MAY_IMPORT.iter().find(|(name, _)| *name == package.name).map(|(_, allowed)| allowed),
        };
        let Some(allowed) = allowed else {
            faults.push(format!("{} is not in the list: say what it may import", package.name));
            continue;
        };
        let ours = package.dependencies.iter().filter(|name| name.starts_with("bulkhead-"));
        let wrong = ours.filter(|name| !allowed.contains(&name.as_str()));
        faults.extend(wrong.map(|name| format!("{} imports {name}", package.name)));
    }
    tree::verdict(
        "Imports point down: move what is needed further down, or pass it in from above. The list is MAY_IMPORT in \
         tests/house/src/layers.rs; docs/architecture.md says why it is as it is.",
        &faults,
    );
}

/// What is on the other side of the border from the broker, or would bring it there: the engine, the reader of the client's JSON, and
/// a runtime that runs what is sent to it.
const NOT_THE_BROKERS: &[&str] = &["wasmtime", "bulkhead-engine", "bulkhead-protocol", "bulkhead-host", "tokio"];

#[test]
fn the_broker_links_no_engine_no_tokio_and_no_reader_of_the_clients() {
    let packages = packages();
    let (mut reached, mut next) = (Vec::<&str>::new(), vec!["bulkhead-broker"]);
    while let Some(name) = next.pop() {
        if reached.contains(&name) {
            continue;
        }
        reached.push(name);
        let ours = packages.iter().filter(|package| package.name == name);
        next.extend(ours.flat_map(|package| package.dependencies.iter().map(String::as_str)));
    }
    assert!(reached.contains(&"bulkhead-sys") && reached.contains(&"nix"), "it reaches only {reached:?}");
    let wrong = NOT_THE_BROKERS.iter().filter(|name| reached.contains(name));
    tree::verdict(
        "What the broker links can be made to do something by whoever has broken the front. Keep it to what rules and acts.",
        &wrong.map(|name| format!("bulkhead-broker reaches {name}")).collect::<Vec<_>>(),
    );
}

#[test]
fn nothing_imports_the_compiler() {
    let importing =
        all_packages().into_iter().filter(|it| it.dependencies.iter().any(|name| name == "bulkhead-compile"));
    let faults: Vec<String> = importing.map(|package| package.name).collect();
    tree::verdict("bulkhead-compile is a program of its own. Run it; do not link it.", &faults);
}

#[test]
fn only_the_host_knows_wasmtime() {
    let importing = packages().into_iter().filter(|it| it.dependencies.iter().any(|name| name == "wasmtime"));
    let (allowed, wrong): (Vec<String>, Vec<String>) =
        importing.map(|package| package.name).partition(|name| MAY_IMPORT_WASMTIME.contains(&name.as_str()));
    assert_eq!(allowed.len(), MAY_IMPORT_WASMTIME.len(), "only {allowed:?} import wasmtime: is this test up to date?");
    tree::verdict("Wasm is the business of host/src and host/engine; what lies below knows nothing of it.", &wrong);
}

#[test]
fn the_host_reaches_the_system_through_the_gate() {
    let mut files = tree::project_rust_files();
    files.retain(|path| ["host/src/", "host/broker/src/", "host/tools/src/"].iter().any(|room| path.starts_with(room)));
    assert!(files.len() > 100, "host/src and host/tools/src have only {} files", files.len());
    let naming =
        |path: &String| rust::word_positions(&rust::code_only(&tree::read(path)), "bulkhead_sys").next().is_some();
    let (allowed, others): (Vec<String>, Vec<String>) =
        files.into_iter().filter(naming).partition(|path| MAY_NAME_SYS.iter().any(|prefix| path.starts_with(prefix)));
    assert!(!allowed.is_empty(), "not even the start names bulkhead_sys: is this test up to date?");
    tree::verdict("Go through bulkhead-gate, which asks the policy first. Only the start may not.", &others);
}

#[test]
fn capabilities_know_neither_the_dispatcher_nor_each_other() {
    let all = tree::rust_files("host/src/capability", SHARED_CAPABILITY);
    assert!(!all.is_empty(), "host/src/capability has no files");
    let mut faults = Vec::new();
    for name in &all {
        let path = format!("host/src/capability/{name}.rs");
        let code = rust::code_only(&tree::read(&path));
        let dispatcher = rust::word_positions(&code, "dispatcher").map(|at| (at, "the dispatcher"));
        faults.extend(dispatcher.map(|(at, what)| format!("{path}:{} names {what}", rust::line_of(&code, at))));
        let named = ["super::", "capability::"].into_iter().flat_map(|prefix| rust::names_after(&code, prefix));
        let others = named.filter(|other| *other != name.as_str() && all.iter().any(|it| it == other));
        faults.extend(others.map(|other| format!("{path} names capability `{other}`")));
    }
    tree::verdict(
        "A capability knows its bindings, the handles and the gate. What two of them share goes to host state or to \
         capability/compartment.rs.",
        &faults,
    );
}

struct Package {
    name: String,
    dependencies: Vec<String>,
}

/// The packages that we ship: those in `tests/` may import what they test.
fn packages() -> Vec<Package> {
    let tests = tree::root().join("tests");
    read_packages(|manifest| !manifest.starts_with(&tests))
}

fn all_packages() -> Vec<Package> {
    read_packages(|_| true)
}

/// Dependencies of every kind, for tests and build scripts too.
fn read_packages(choose: impl Fn(&std::path::Path) -> bool) -> Vec<Package> {
    let text = |value: &Value| value.as_str().expect("names and paths are strings").to_owned();
    let list = |value: &Value| value.as_array().expect("packages and dependencies are lists").clone();
    let not_for_tests = |it: &&Value| it["kind"] != "dev";
    let read = |package: &Value| Package {
        name: text(&package["name"]),
        dependencies: list(&package["dependencies"]).iter().filter(not_for_tests).map(|it| text(&it["name"])).collect(),
    };
    let packages = tree::cargo_packages("Cargo.toml");
    let chosen = packages.iter().filter(|package| choose(text(&package["manifest_path"]).as_ref()));
    let chosen: Vec<Package> = chosen.map(read).collect();
    assert!(chosen.len() > 8, "cargo metadata lists only {} packages", chosen.len());
    chosen
}
