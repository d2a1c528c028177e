//! The example policies: docs/policy.md shows them as they are, and each has its table of cases.

use crate::tree;
use std::path::Path;

const FOLDER: &str = "host/dist/policies";

#[test]
fn the_document_shows_each_example_as_it_is() {
    let document = tree::read("docs/policy.md");
    let faults = examples().into_iter().filter(|path| {
        let text = tree::read(path);
        // The line for editors is of use in a file alone.
        let shown: Vec<&str> = text.lines().skip_while(|line| line.starts_with("#:schema")).collect();
        !document.contains(&format!("```toml\n{}\n```\n", shown.join("\n")))
    });
    tree::verdict(
        "docs/policy.md shows another text than the file has: copy the file into it, without its line #:schema.",
        &faults.collect::<Vec<_>>(),
    );
}

#[test]
fn each_example_has_cases() {
    let missing = examples().into_iter().map(|path| path.replace(".toml", ".cases")).filter(|path| !tree::exists(path));
    tree::verdict(
        "An example policy has a table of requests beside it, and what should come of them.",
        &missing.collect::<Vec<_>>(),
    );
}

fn examples() -> Vec<String> {
    let is_policy = |path: &Path| path.extension().is_some_and(|extension| extension == "toml");
    let names = tree::names(FOLDER, is_policy);
    assert!(names.len() >= 4, "{FOLDER} has only {names:?}");
    names.iter().map(|name| format!("{FOLDER}/{name}")).collect()
}
