//! The lines that a run prints.

use crate::player::Difference;
use std::path::Path;
use std::process::ExitCode;

/// The longest text shown of an answer.
const SHOWN: usize = 400;

/// How many differences of a transcript are shown: where an agent is out of step there is no end of them.
const WORTH_READING: usize = 12;

/// What became of one transcript.
#[derive(Debug)]
pub enum Outcome {
    /// As it says; so many differences were excepted.
    Passed(usize),
    /// Not played, and why.
    Skipped(String),
    /// Otherwise than it says.
    Failed(Vec<Difference>),
    /// Rewritten, because `--bless` asked for it.
    Blessed,
}

/// How many transcripts went how.
#[derive(Debug, Default)]
pub struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Tally {
    /// Prints the line of one transcript, and below it what differs.
    pub fn add(&mut self, name: &str, path: &Path, took: std::time::Duration, outcome: &Outcome) {
        let line = |word: &str, note: &str| println!("{name:<44} {word:<9} {:>6} ms  {note}", took.as_millis());
        match outcome {
            Outcome::Passed(excepted) => {
                self.passed += 1;
                let note = if *excepted == 0 { String::new() } else { format!("{excepted} excepted") };
                line("ok", &note);
            }
            Outcome::Skipped(why) => {
                self.skipped += 1;
                line("skipped", why);
            }
            Outcome::Blessed => {
                self.failed += 1;
                line("REWRITTEN", "read what changed");
            }
            Outcome::Failed(differences) => {
                self.failed += 1;
                line("FAILED", "");
                differences.iter().take(WORTH_READING).for_each(|difference| show(path, difference));
                if differences.len() > WORTH_READING {
                    println!("    ... and {} more", differences.len() - WORTH_READING);
                }
            }
        }
    }

    /// An exception was not seen. Where transcripts were skipped it may be in one of them, else it is out of date.
    pub fn unused(&mut self, case: &str, says: &str) {
        if self.skipped > 0 {
            println!("not seen, perhaps because something was skipped: {says:?} in {case}");
        } else {
            self.failed += 1;
            println!("STALE: no answer says {says:?} in {case} any more");
        }
    }

    /// Prints the closing line.
    pub fn close(&self) -> ExitCode {
        println!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped);
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn show(path: &Path, difference: &Difference) {
    let short = |text: &str| match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}... ({} bytes)", &text[..at], text.len()),
        None => text.to_owned(),
    };
    println!("    {}:{}: {}", path.display(), difference.line, short(&difference.action));
    println!("        expected  {}", short(&difference.expected).replace('\n', "\n                  "));
    println!("        got       {}", short(&difference.got).replace('\n', "\n                  "));
}
