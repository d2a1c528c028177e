//! Plays all transcripts and prints one line for each, and at the end `N passed, N failed, N skipped`.

use crate::exceptions::Exception;
use crate::player::{Difference, Listen, Observation, play};
use crate::transcript::{Stage, Transcript, read};
use crate::{bless, sandbox};
use anyhow::{Context, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// The umask of every agent that is played with: other than the modes of files in transcripts, so that these show
/// whether it was applied.
const UMASK: u32 = 0o027;

/// The longest text shown of an answer.
const SHOWN: usize = 400;

/// How many differences of a transcript are shown: where an agent is out of step there is no end of them.
const WORTH_READING: usize = 12;

/// What the command line asks for: parts of names, `--bless`, `--list`. Other options are those of the usual test
/// harness, and mean nothing here.
#[derive(Debug, Default)]
struct Wish {
    filters: Vec<String>,
    bless: bool,
    list: bool,
}

/// What became of one transcript.
enum Outcome {
    Passed(String),
    Skipped(String),
    Failed(Vec<Difference>, String),
}

/// Plays every transcript below this crate's folder with the agent at `binary`. Differences that `exceptions` explain
/// are none; an exception that explains nothing is a failure, unless only some transcripts were asked for.
pub fn run(binary: &Path, exceptions: &[Exception]) -> Result<ExitCode> {
    let wish = wish();
    let _ = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(UMASK));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut used = vec![false; exceptions.len()];
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    let no_sandbox = sandbox::unavailable();
    for path in transcripts(root)? {
        let name = path.strip_prefix(root)?.with_extension("").display().to_string();
        if !wish.filters.is_empty() && !wish.filters.iter().any(|filter| name.contains(filter.as_str())) {
            continue;
        }
        if wish.list {
            println!("{name}");
            continue;
        }
        let start = Instant::now();
        let outcome = match read(root, &path) {
            Err(error) => Outcome::Failed(Vec::new(), format!("{error:#}")),
            Ok(it) if it.stage != Stage::Plain && no_sandbox.is_some() => {
                Outcome::Skipped(format!("the sandbox {}", no_sandbox.as_deref().unwrap_or_default()))
            }
            Ok(it) => judge(&it, binary, exceptions, &mut used, wish.bless),
        };
        let took = format!("{} ms", start.elapsed().as_millis());
        match outcome {
            Outcome::Passed(note) => {
                passed += 1;
                println!("{name:<48} ok      {took:>8}{note}");
            }
            Outcome::Skipped(why) => {
                skipped += 1;
                println!("{name:<48} skipped {took:>8}  {why}");
            }
            Outcome::Failed(differences, why) => {
                failed += 1;
                println!("{name:<48} FAILED  {took:>8}  {why}");
                differences.iter().take(WORTH_READING).for_each(|difference| show(&path, difference));
                if let Some(more) = differences.len().checked_sub(WORTH_READING).filter(|more| *more > 0) {
                    println!("    ... and {more} more");
                }
            }
        }
    }
    if wish.filters.is_empty() && !wish.list {
        for exception in exceptions.iter().zip(&used).filter_map(|(it, used)| (!used).then_some(it)) {
            if skipped > 0 {
                println!("not seen, perhaps as something was skipped: {:?} {:?}", exception.case, exception.says);
            } else {
                failed += 1;
                println!("STALE: no answer differs by {:?} in {:?} any more", exception.says, exception.case);
            }
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn wish() -> Wish {
    let mut wish = Wish::default();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--bless" => wish.bless = true,
            "--list" => wish.list = true,
            option if option.starts_with('-') => {}
            filter => wish.filters.push(filter.to_owned()),
        }
    }
    wish
}

/// All transcripts, by name.
fn transcripts(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(root)? {
        let folder = folder?.path();
        if folder.is_dir() {
            for file in std::fs::read_dir(&folder)? {
                found.push(file?.path());
            }
        }
    }
    found.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    found.sort();
    Ok(found)
}

fn judge(it: &Transcript, binary: &Path, exceptions: &[Exception], used: &mut [bool], bless: bool) -> Outcome {
    let listen = if bless { Listen::UntilSilent } else { Listen::AsExpected };
    // The client of the tests panics when the agent does not behave as one; that is this transcript's failure only.
    let played = catch_unwind(AssertUnwindSafe(|| play(it, binary, listen)));
    let mut observation = match played {
        Ok(Ok(observation)) => observation,
        Ok(Err(error)) => stopped(it, &format!("{error:#}")),
        Err(_) => stopped(it, "the conversation broke off, see above"),
    };
    let all = observation.differences.len();
    let explained = |difference: &Difference| {
        exceptions.iter().position(|exception| exception.explains(&it.name, difference)).inspect(|at| used[*at] = true)
    };
    let explained: Vec<bool> = observation.differences.iter().map(explained).map(|at| at.is_some()).collect();
    let mut keep = explained.into_iter().map(|explained| !explained);
    observation.differences.retain(|_| keep.next().unwrap_or(true));
    if observation.differences.is_empty() {
        return Outcome::Passed(if all == 0 { String::new() } else { format!("  {all} excepted") });
    }
    if bless && !observation.seen.is_empty() {
        let note = match bless::bless(it, &observation) {
            Ok(()) => "rewritten: read it".to_owned(),
            Err(error) => format!("{error:#}"),
        };
        return Outcome::Failed(Vec::new(), note);
    }
    Outcome::Failed(observation.differences, String::new())
}

/// A transcript that could not be played to its end.
fn stopped(it: &Transcript, why: &str) -> Observation {
    let difference =
        Difference { line: 1, action: it.name.clone(), expected: "to be played to its end".into(), got: why.into() };
    Observation { differences: vec![difference], seen: Vec::new() }
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

/// Reads the exceptions that speak of an oracle of this version.
pub fn exceptions(version: &str) -> Result<Vec<Exception>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../oracle/exceptions.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut all = crate::exceptions::parse(&text)?;
    all.retain(|exception| exception.is_about(version));
    Ok(all)
}
