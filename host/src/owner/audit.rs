//! `bulkhead audit verify`: is the audit whole?

use anyhow::Context;
use bulkhead_audit::{Loss, Report, verify};
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The audit's files, the oldest first. Without any, lines are read from stdin.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs the tool.
pub(super) fn run(options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mut inputs: Vec<(String, Box<dyn Read>)> = Vec::new();
    for path in &options.files {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        inputs.push((name, Box::new(file)));
    }
    if inputs.is_empty() {
        inputs.push(("stdin".to_owned(), Box::new(io::stdin())));
    }
    let report = verify(inputs.into_iter().map(|(name, input)| (name, BufReader::new(input))))?;
    tell(&report, out)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Report { lines, first, last, losses } = report;
    if *first > 1 {
        writeln!(out, "older lines, 1 to {}, are not in these files", first - 1)?;
    }
    for Loss { first, last, time, torn } in losses {
        let piece = if *torn { ", a piece of which is there" } else { "" };
        writeln!(out, "recorded loss of {} lines{piece}: {first} to {last}, noted at {time}", last - first + 1)?;
    }
    writeln!(out, "{lines} lines are whole and in order, up to {last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_what_is_missing() {
        let loss = Loss { first: 43, last: 47, time: "2026-01-31T00:00:00.000000Z".to_owned(), torn: false };
        let mut out = Vec::new();
        tell(&Report { lines: 8, first: 41, last: 53, losses: vec![loss] }, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "older lines, 1 to 40, are not in these files\n\
             recorded loss of 5 lines: 43 to 47, noted at 2026-01-31T00:00:00.000000Z\n\
             8 lines are whole and in order, up to 53\n"
        );
    }
}
