//! The answers to typical questions of owners, for people to read: `explain/NAME.txt` has the policy, the question and the
//! answer. `BULKHEAD_BLESS=1` writes the answers anew; read them before you commit them.

use bulkhead_catalog::{commands, modules};
use bulkhead_policy::{Document, Policy};
use bulkhead_policy_tests::files;
use bulkhead_tools::policy::{Stage, explain};
use std::path::Path;

/// Between policy and question, and between question and answer.
const RULE: &str = "\n---\n";

#[test]
fn owners_are_told_what_they_ask() {
    let mut stage = Stage::new().expect("the engine starts");
    let files = files("tests/policy/explain", "txt");
    assert!(files.len() >= 10, "only {} questions", files.len());
    let bless = std::env::var_os("BULKHEAD_BLESS").is_some();
    let mut faults = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("the question can be read");
        let mut parts = text.splitn(3, RULE);
        let (Some(rules), Some(question)) = (parts.next(), parts.next()) else { panic!("{}", file.display()) };
        let request = question.strip_prefix("frozen ").unwrap_or(question);
        let policy = policy(rules);
        let rehearsed = stage.rehearse(&policy, request, request != question).unwrap_or_else(|error| panic!("{error}"));
        let answer = explain(&rehearsed, &policy, Path::new("/etc/bulkhead/policy.d"));
        if parts.next() == Some(&answer) {
            continue;
        }
        if bless {
            std::fs::write(&file, [rules, question, &answer].join(RULE)).expect("the answer can be written");
        }
        faults.push(format!("{}:\n{answer}", file.display()));
    }
    assert!(faults.is_empty(), "these answers are other ones now:\n{}", faults.join("\n"));
}

/// What an owner is told to add makes the difference, if nothing stands in its way.
#[test]
fn what_is_to_be_added_is_enough() {
    let mut stage = Stage::new().expect("the engine starts");
    let mut added = 0;
    for file in files("tests/policy/explain", "txt") {
        let text = std::fs::read_to_string(&file).expect("the question can be read");
        let parts: Vec<&str> = text.splitn(3, RULE).collect();
        let (rules, request, answer) = (parts[0], parts[1], parts.get(2).copied().unwrap_or_default());
        let Some((_, lines)) = answer.split_once("To allow it, put this into ") else { continue };
        let lines: String = lines.lines().skip(2).map(|line| format!("{}\n", line.trim_start())).collect();
        let both = [document("policy.toml", rules), document("added.toml", &lines)];
        let policy = Policy::merge(both, &commands::names(), &modules::names()).expect("the files fit together");
        let rehearsed = stage.rehearse(&policy, request, false).expect("it is a request");
        assert_eq!(rehearsed.denied().count(), 0, "{}", file.display());
        assert!(!rehearsed.is_refused(), "{}", file.display());
        added += 1;
    }
    assert!(added >= 4, "only {added} answers say what to add");
}

fn policy(rules: &str) -> Policy {
    Policy::merge([document("policy.toml", rules)], &commands::names(), &modules::names()).expect("the file is sound")
}

fn document(name: &str, text: &str) -> Document {
    Document::parse(name, text, &commands::names(), &modules::names()).unwrap_or_else(|error| panic!("{error}"))
}
