//! The agent holds no compiler: machine code is made elsewhere, ahead of time.

use crate::tree;
use std::fs;

/// Packages that compile, or that give a module more than our own imports.
const REFUSED: &[&str] = &[
    "cranelift-codegen",
    "cranelift-frontend",
    "cranelift-native",
    "regalloc2",
    "wasmtime-internal-cranelift",
    "wasmtime-internal-winch",
    "wasmtime-wasi",
    "winch-codegen",
];

/// What the shipped agent has to show, so that a search which finds nothing means something: symbols and the places of
/// panics carry the names of the packages that were linked.
const KNOWN_TO_BE_IN: &str = "wasmtime";

#[test]
fn the_agent_depends_on_no_compiler() {
    let graph = tree::cargo(&["tree", "-p", "bulkhead-host", "-e", "normal", "--prefix", "none", "--format", "{p}"]);
    let packages: Vec<&str> = graph.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(packages.contains(&"wasmtime"), "cargo tree does not show the agent's engine:\n{graph}");
    let found = REFUSED.iter().filter(|name| packages.contains(*name)).map(|name| (*name).to_owned());
    tree::verdict(
        "Find out who asks for it with `cargo tree -p bulkhead-host -e normal,features -i NAME` and leave the feature out.",
        &found.collect::<Vec<_>>(),
    );
}

#[test]
fn the_agent_contains_no_compiler() {
    let path = "target/release/bulkhead-agent";
    let program = fs::read(tree::root().join(path))
        .unwrap_or_else(|error| panic!("cannot read {path}: {error}\nRun `make build`."));
    assert!(contains(&program, KNOWN_TO_BE_IN), "{path} does not name its engine: this test sees nothing any more");
    // In paths a package's name has hyphens, in symbols underscores.
    let spellings = REFUSED.iter().flat_map(|name| [(*name).to_owned(), name.replace('-', "_")]);
    let found: Vec<String> = spellings.filter(|name| contains(&program, name)).collect();
    tree::verdict(
        "A build of several packages at once gives each of them the features of all. Build what is shipped with `make \
         build`. If it stays, see the test above.",
        &found,
    );
}

fn contains(program: &[u8], text: &str) -> bool {
    program.windows(text.len()).any(|window| window == text.as_bytes())
}
