//! Plays all transcripts with one agent.

use crate::exceptions::Exception;
use crate::player::{Difference, Listen, Observation, play};
use crate::report::{Outcome, Tally};
use crate::transcript::{Stage, Transcript, read};
use crate::{bless, sandbox};
use anyhow::Result;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// The umask of every agent that is played with: other than the modes of files in transcripts, so that these show
/// whether it was applied.
const UMASK: u32 = 0o027;

/// Who is played with.
#[derive(Clone, Copy, Debug)]
pub enum Agent<'a> {
    /// The agent under test. It may bless.
    UnderTest,
    /// The oracle: differences that these explain are none, and each of these must explain one.
    Oracle(&'a [Exception]),
}

/// What the command line asks for: parts of names, `--bless`, `--list`. Other options are those of the usual test
/// harness, and mean nothing here.
#[derive(Debug, Default)]
struct Wish {
    filters: Vec<String>,
    bless: bool,
    list: bool,
}

/// Plays every transcript below this crate's folder that the command line asks for with the agent at `binary`, and
/// prints a line for each and the count at the end.
pub fn run(binary: &Path, agent: Agent<'_>) -> Result<ExitCode> {
    let wish = wish();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let exceptions = if let Agent::Oracle(exceptions) = agent { exceptions } else { &[] };
    let bless = wish.bless && matches!(agent, Agent::UnderTest);
    let mut used = vec![false; exceptions.len()];
    let mut tally = Tally::default();
    let _ = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(UMASK));
    // What a panic says is shown with its transcript.
    std::panic::set_hook(Box::new(|_| {}));
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
            Err(error) => Outcome::Failed(vec![broken(&name, &format!("{error:#}"))]),
            Ok(it) => match sandbox::unavailable().filter(|_| it.stage != Stage::Plain) {
                Some(why) => Outcome::Skipped(format!("the sandbox {why}")),
                None => judge(&it, binary, exceptions, &mut used, bless),
            },
        };
        tally.add(&name, &path, start.elapsed(), &outcome);
    }
    if wish.list {
        return Ok(ExitCode::SUCCESS);
    }
    if wish.filters.is_empty() {
        for (exception, _) in exceptions.iter().zip(used).filter(|(_, used)| !used) {
            tally.unused(&exception.case, &exception.says);
        }
    }
    Ok(tally.close())
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
    // The client panics when the agent does not behave as one: that is this transcript's failure, and no other's.
    let played = catch_unwind(AssertUnwindSafe(|| play(it, binary, listen)));
    let mut observation = match played {
        Ok(Ok(observation)) => observation,
        Ok(Err(error)) => stopped(&it.name, &format!("{error:#}")),
        Err(panic) => stopped(&it.name, panic.downcast_ref::<String>().map_or("it broke off", String::as_str)),
    };
    let all = observation.differences.len();
    observation.differences.retain(|difference| {
        let mut explained = false;
        for (exception, used) in exceptions.iter().zip(used.iter_mut()) {
            if exception.explains(&it.name, difference) {
                (explained, *used) = (true, true);
            }
        }
        !explained
    });
    if observation.differences.is_empty() {
        return Outcome::Passed(all);
    }
    if bless && !observation.seen.is_empty() {
        return match bless::bless(it, &observation) {
            Ok(()) => Outcome::Blessed,
            Err(error) => Outcome::Failed(vec![broken(&it.name, &format!("{error:#}"))]),
        };
    }
    Outcome::Failed(observation.differences)
}

/// A transcript that could not be played to its end.
fn stopped(name: &str, why: &str) -> Observation {
    Observation { differences: vec![broken(name, why)], seen: Vec::new() }
}

fn broken(name: &str, why: &str) -> Difference {
    Difference { line: 1, action: name.to_owned(), expected: "to be played to its end".to_owned(), got: why.to_owned() }
}
