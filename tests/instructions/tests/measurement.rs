//! That the guard counts what it says, and that it can fail.

use bulkhead_instructions::baseline::Baseline;
use bulkhead_instructions::cases::{self, Case};
use bulkhead_instructions::measure::per_repetition;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_bulkhead-instructions");

fn count(name: &str) -> u64 {
    per_repetition(Path::new(PROGRAM), cases::named(name).unwrap()).unwrap_or_else(|error| panic!("{error:#}"))
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn guard(arguments: &[&str], baseline: &Path) -> (Output, String) {
    let output = Command::new(PROGRAM).args(arguments).arg("--baseline").arg(baseline).output().unwrap();
    let told = [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat();
    (output, told)
}

/// What is told of one case.
fn line<'a>(told: &'a str, name: &str) -> &'a str {
    told.lines().find(|line| line.split(' ').next() == Some(name)).unwrap_or_else(|| panic!("no {name} in:\n{told}"))
}

#[test]
fn twice_the_work_is_twice_the_instructions() {
    let (once, twice) = (count("yardstick"), count("yardstick-twice"));
    assert!(once >= 10_000, "{once} for ten thousand steps");
    assert!((2 * once).abs_diff(twice) * 100 <= twice, "{once} and {twice}");
}

#[test]
fn the_same_work_is_the_same_number() {
    let (one, other) = (count("wire-arguments"), count("wire-arguments"));
    assert!(one.abs_diff(other) * 1000 <= one, "{one} and {other}");
}

/// Three cases show it all: failing, warning, and what is missing.
#[test]
fn a_baseline_is_accepted_and_missed() {
    let file = scratch("baseline.toml");
    let _ = std::fs::remove_file(&file);
    let only = ["--only", "wire-ping", "--only", "base64-decoded", "--only", "return-info"];
    let (output, told) = guard(&[&["--accept"], &only[..]].concat(), &file);
    assert!(output.status.success(), "{told}");
    let mut baseline = Baseline::parse(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(baseline.instructions.len(), 3);

    for (name, halves) in [("wire-ping", 1), ("base64-decoded", 4)] {
        let number = baseline.instructions.get_mut(name).unwrap();
        *number = *number * halves / 2;
    }
    baseline.instructions.remove("return-info");
    let cases: Vec<&Case> = cases::all().collect();
    std::fs::write(&file, baseline.text(&cases)).unwrap();
    let (output, told) = guard(&only, &file);
    assert!(!output.status.success(), "{told}");
    assert!(line(&told, "wire-ping").ends_with("FAILED: over 10 % above its baseline"), "{told}");
    assert!(line(&told, "wire-ping").contains(&baseline.instructions["wire-ping"].to_string()), "{told}");
    assert!(line(&told, "base64-decoded").contains("warning: "), "{told}");
    assert!(line(&told, "return-info").ends_with("FAILED: it has no baseline"), "{told}");
    assert!(
        told.ends_with("Failed: wire-ping, return-info. If it is worth it: make instructions ACCEPT=1\n"),
        "{told}"
    );
}

#[test]
fn on_another_target_nothing_is_judged() {
    let file = scratch("another-target.toml");
    let another = Baseline { target: "riscv64gc-unknown-linux-gnu".to_owned(), ..Baseline::of_this_build() };
    std::fs::write(&file, another.text(&[])).unwrap();
    let (output, told) = guard(&[], &file);
    assert!(output.status.success() && told.starts_with("left out: "), "{told}");
}
