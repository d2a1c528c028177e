//! `docs/writing-a-module.md`, followed line by line.

use crate::console::{matches, steps};
use bulkhead_test_support::{Scratch, agent_under_test};
use std::path::Path;
use std::process::{Command, Stdio};

const DOCUMENT: &str = include_str!("../../../docs/writing-a-module.md");
const TEMPLATE: &str = include_str!("../../../host/dist/template/src/lib.rs");

/// What the shell prints behind the output of each step; the step's exit status follows.
const MARK: &str = "@@@ the step ended with ";

#[test]
fn who_follows_the_document_gets_what_it_shows() {
    for program in ["minisign", "socat"] {
        if Command::new(program).arg("-h").output().is_err() {
            println!("skipped: no {program}");
            return;
        }
    }
    let scratch = Scratch::new("document");
    let steps = steps(DOCUMENT);
    assert!(steps.len() > 15, "the document has only {} steps", steps.len());
    let output = run(&scratch, &steps.iter().map(|step| step.command.as_str()).collect::<Vec<_>>());
    let said = said(&output);
    for (step, (printed, status)) in steps.iter().zip(&said) {
        let lines: Vec<&str> = printed.lines().collect();
        let place = format!("docs/writing-a-module.md:{}: {}", step.line, step.command);
        assert!(*status == "0", "{place}\nended with {status} and printed:\n{printed}");
        assert!(matches(&step.output, &lines), "{place}\nprinted:\n{printed}\nand not:\n{}", step.output.join("\n"));
    }
    assert_eq!(said.len(), steps.len(), "the last step did not end:\n{output}");
}

/// What each step printed, and its exit status.
fn said(output: &str) -> Vec<(&str, &str)> {
    let mut pieces = output.split(MARK);
    let mut printed = pieces.next().unwrap_or_default();
    let step = |piece| {
        let (status, rest) = str::split_once(piece, '\n').unwrap_or((piece, ""));
        (std::mem::replace(&mut printed, rest), status)
    };
    pieces.map(step).collect()
}

/// What one shell prints that runs all the steps in a folder of its own, with the tools that were built.
fn run(scratch: &Scratch, commands: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project is there");
    let tools = agent_under_test().canonicalize().expect("an agent was built");
    let tools = tools.parent().expect("it is in a folder").display().to_string();
    let mut script = String::from("trap 'kill $(cat \"$AGENT\") 2>/dev/null' EXIT\n");
    for command in commands {
        script += &format!("{command}\nprintf '{MARK}%s\\n' $?\n");
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(format!("exec 2>&1\numask 022\n{script}")).current_dir(scratch.path()).stdin(Stdio::null());
    // What the author's crate needs is compiled once and kept.
    shell.env("CARGO_TARGET_DIR", root.join("target/author")).env("PATH", format!("{tools}:{path}"));
    shell.env("AGENT", scratch.join("machine/agent.pid")).env("QGA_CONF", scratch.join("no-configuration"));
    // Cargo's own variables for this test are not for the author's crate, nor is make's.
    for name in ["MAKEFLAGS", "MAKELEVEL", "CARGO_BUILD_TARGET", "RUSTFLAGS"] {
        shell.env_remove(name);
    }
    String::from_utf8_lossy(&shell.output().expect("there is a bash").stdout).into_owned()
}

#[test]
fn the_code_that_is_shown_is_the_template_s() {
    let block =
        DOCUMENT.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).expect("there is some Rust");
    assert!(TEMPLATE.replace("@TYPE@", "Uptime").contains(block), "the template has another function by now:\n{block}");
}

#[test]
fn the_output_of_each_step_is_its_own() {
    assert_eq!(said(&format!("a\n{MARK}0\nb\nc\n{MARK}1\n")), [("a\n", "0"), ("b\nc\n", "1")]);
    assert_eq!(said("nothing ended"), []);
}
