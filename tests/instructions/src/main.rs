//! Measures every case and compares it with its baseline; under valgrind, runs one.

use anyhow::{Context, Result, ensure};
use bulkhead_instructions::baseline::Baseline;
use bulkhead_instructions::cases::{self, Case};
use bulkhead_instructions::measure::per_repetition;
use bulkhead_instructions::verdict::{Verdict, change};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Counts the instructions of the pure parts and compares them with their baselines.
#[derive(Parser)]
struct Options {
    /// Write what was measured as the new baselines
    #[arg(long)]
    accept: bool,
    /// The file of baselines
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.toml"))]
    baseline: PathBuf,
    /// Only this case, or these
    #[arg(long, value_name = "CASE")]
    only: Vec<String>,
    #[command(subcommand)]
    run: Option<Run>,
}

#[derive(Subcommand)]
enum Run {
    /// Only do the work of a case: this is what is measured
    Run { case: String, count: u32 },
}

fn main() -> ExitCode {
    let options = Options::parse();
    let result = match &options.run {
        Some(Run::Run { case, count }) => find(case).map(|case| cases::run(case, *count)).map(|()| true),
        None => guard(&options),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bulkhead-instructions: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn find(name: &str) -> Result<&'static Case> {
    cases::named(name).with_context(|| format!("there is no case '{name}'"))
}

/// Measures, and compares or accepts. False if a case is above its baseline.
fn guard(options: &Options) -> Result<bool> {
    let file = options.baseline.display();
    let known = std::fs::read_to_string(&options.baseline).with_context(|| format!("cannot read {file}"));
    let known = known.and_then(|text| Baseline::parse(&text).with_context(|| format!("cannot read {file}")));
    let mut measured = Baseline::of_this_build();
    let known = if options.accept { known.unwrap_or_else(|_| Baseline::of_this_build()) } else { known? };
    if known.target != measured.target {
        println!("left out: the baselines are of {}, this is {}", known.target, measured.target);
        return Ok(true);
    }
    if known.rustc != measured.rustc {
        println!("note: the baselines are of rustc {}, this was made by {}\n", known.rustc, measured.rustc);
    }
    let program = std::env::current_exe()?;
    options.only.iter().try_for_each(|name| find(name).map(|_| ()))?;
    let is_chosen = |case: &&Case| options.only.is_empty() || options.only.iter().any(|name| name == case.name);
    let all: Vec<&Case> = cases::all().collect();
    measured.instructions.clone_from(&known.instructions);
    let mut failed = Vec::new();
    println!("{:<20} {:>10} {:>10} {:>9}", "instructions", "baseline", "measured", "");
    for case in all.iter().copied().filter(is_chosen) {
        let count = per_repetition(&program, case)?;
        let baseline = known.instructions.get(case.name).copied();
        let verdict = if options.accept { Verdict::Fine } else { Verdict::of(baseline, count) };
        let (before, by) = baseline.map_or(("-".to_owned(), String::new()), |it| (it.to_string(), change(it, count)));
        println!("{:<20} {before:>10} {count:>10} {by:>9}  {verdict}", case.name);
        failed.extend(verdict.is_failure().then_some(case.name));
        measured.instructions.insert(case.name.to_owned(), count);
    }
    if options.accept {
        std::fs::write(&options.baseline, measured.text(&all)).with_context(|| format!("cannot write {file}"))?;
        println!("\naccepted: see {file}");
        return Ok(true);
    }
    let gone: Vec<&String> = known.instructions.keys().filter(|name| find(name).is_err()).collect();
    ensure!(gone.is_empty(), "{file} has baselines of cases that there are not: {gone:?}");
    if !failed.is_empty() {
        eprintln!("\nFailed: {}. If it is worth it: make instructions ACCEPT=1", failed.join(", "));
    }
    Ok(failed.is_empty())
}
