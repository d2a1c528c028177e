//! `bulkhead module test`: requests and the replies expected, so that a module has tests.

use super::case::{self, Cases};
use super::stage::Stage;
use crate::which::Where;
use anyhow::{Context, bail};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = case::FORM)]
pub(crate) struct Options {
    /// The module. It need not be signed.
    file: PathBuf,
    /// The cases. Without: cases.toml beside the module.
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// Only cases whose name has this in it.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

/// Runs the tool.
pub(crate) fn run(r#where: &Where, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let path = case::file(options.cases.as_ref(), &options.file);
    let cases = Cases::read(&path)?;
    let is_chosen = |name: &str| options.only.as_ref().is_none_or(|text| name.contains(text));
    let chosen: Vec<_> = cases.all().iter().filter(|case| is_chosen(case.name())).collect();
    if chosen.is_empty() {
        bail!("{}: there is no such case", path.display());
    }
    let mut stage = Stage::open(&options.file, r#where.compiler.as_deref())?;
    let mut failures = Vec::new();
    for case in &chosen {
        let tried = case.try_out(&mut stage).with_context(|| format!("{}: case '{}'", path.display(), case.name()))?;
        let (wrong, answer) = tried;
        let word = if wrong.is_empty() { "ok" } else { "FAILED" };
        writeln!(out, "case {} ... {word}", case.name())?;
        if !wrong.is_empty() {
            failures.push((case.name(), wrong, answer.log));
        }
    }
    for (name, wrong, log) in &failures {
        writeln!(out, "\n---- {name}")?;
        for line in wrong {
            writeln!(out, "{line}")?;
        }
        if !log.is_empty() {
            writeln!(out, "log:")?;
            for line in log.lines() {
                writeln!(out, "  {}", line.trim())?;
            }
        }
    }
    let blank = if failures.is_empty() { "" } else { "\n" };
    writeln!(out, "{blank}{} passed, {} failed", chosen.len() - failures.len(), failures.len())?;
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
