//! What was decided is written down, and can be found.

use crate::{rust, tree};
use std::collections::{BTreeMap, BTreeSet};

const FOLDER: &str = "docs/decisions";

/// The dependencies that the project began with; any other came in by a decision.
const FROM_THE_START: &[&str] = &[
    "anyhow",
    "base64-simd",
    "clap",
    "nix",
    "serde",
    "serde_json",
    "thiserror",
    "tokio",
    "tracing",
    "wasmtime",
    "wit-bindgen",
];

#[test]
fn every_decision_note_is_listed() {
    let list = tree::read(&format!("{FOLDER}/README.md"));
    let unlisted = notes().into_iter().filter(|name| !list.contains(&format!("({name})")));
    tree::verdict(
        "Link the note from docs/decisions/README.md, as [title](NNNN-name.md).",
        &unlisted.collect::<Vec<_>>(),
    );
}

#[test]
fn every_decision_note_has_a_number_of_its_own() {
    let mut by_number = BTreeMap::<String, Vec<String>>::new();
    for name in notes() {
        by_number.entry(name[..4].to_owned()).or_default().push(name);
    }
    let shared = by_number.values().filter(|names| names.len() > 1).map(|names| names.join(", "));
    tree::verdict("Numbers are given once. The later note takes the next free one.", &shared.collect::<Vec<_>>());
}

#[test]
fn every_dependency_was_decided_on() {
    let notes: Vec<String> = notes().iter().map(|name| tree::read(&format!("{FOLDER}/{name}"))).collect();
    let is_named = |dependency: &str| notes.iter().any(|note| rust::word_positions(note, dependency).next().is_some());
    let dependencies = dependencies();
    assert!(dependencies.contains_key("wasmtime"), "the engine is not among {:?}", dependencies.keys());
    let undecided =
        dependencies.iter().filter(|(name, _)| !FROM_THE_START.contains(&name.as_str()) && !is_named(name)).map(
            |(name, users)| format!("{name} (for {})", users.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
        );
    tree::verdict(
        "Name it in a note under docs/decisions: what it is for, what it brings along, what it would cost to do without.",
        &undecided.collect::<Vec<_>>(),
    );
}

/// The names of the notes: `NNNN-*.md`.
fn notes() -> Vec<String> {
    let mut notes = tree::names(FOLDER, |path| path.extension().is_some_and(|extension| extension == "md"));
    notes.retain(|name| is_note(name));
    assert!(!notes.is_empty(), "{FOLDER} has no note (NNNN-name.md)");
    notes
}

fn is_note(name: &str) -> bool {
    name.len() > 5 && name[..4].bytes().all(|byte| byte.is_ascii_digit()) && name[4..].starts_with('-')
}

/// What comes from outside, of every kind (tests and build scripts too), with the packages that ask for it. It holds
/// every entry of `[workspace.dependencies]` that is used, and what a package asks for past that list.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    for manifest in ["Cargo.toml", "tests/fuzz/Cargo.toml"] {
        for package in tree::cargo_packages(manifest) {
            for dependency in package["dependencies"].as_array().expect("a list of dependencies") {
                if let (Some(name), Some(_)) = (dependency["name"].as_str(), dependency["source"].as_str()) {
                    let user = package["name"].as_str().expect("a package has a name");
                    found.entry(name.to_owned()).or_default().insert(user.to_owned());
                }
            }
        }
    }
    found
}
