//! `bulkhead audit verify`: is the audit whole?

use crate::running_agent::configured;
use anyhow::{Context, bail};
use bulkhead_audit::{Loss, Report, verify};
use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The audit's files, the oldest first; '-' for stdin. Without any, stdin is read if it is a file or a pipe, and else the file
    /// that the agent's configuration names, with the older one beside it.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs the tool.
pub(crate) fn run(options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mut inputs: Vec<(String, Box<dyn Read>)> = Vec::new();
    for path in chosen(options)? {
        if path.as_os_str() == "-" {
            inputs.push(("stdin".to_owned(), Box::new(io::stdin())));
            continue;
        }
        let name = path.display().to_string();
        let file = File::open(&path).with_context(|| format!("cannot read {name}"))?;
        if options.files.is_empty() {
            writeln!(out, "reading {name}")?;
        }
        inputs.push((name, Box::new(file)));
    }
    let report = verify(inputs.into_iter().map(|(name, input)| (name, BufReader::new(input))))?;
    tell(&report, out)?;
    Ok(ExitCode::SUCCESS)
}

/// What is to be read.
fn chosen(options: &Options) -> anyhow::Result<Vec<PathBuf>> {
    if !options.files.is_empty() {
        return Ok(options.files.clone());
    }
    if has_input()? {
        return Ok(vec!["-".into()]);
    }
    let Some(file) = configured()?.audit_file else {
        bail!("the agent's configuration names no audit-file: name the audit's files, the oldest first");
    };
    let mut old = file.clone().into_os_string();
    old.push(".old");
    Ok([PathBuf::from(old)].into_iter().filter(|old| old.exists()).chain([file]).collect())
}

/// Whether somebody gives lines on stdin: a file or a pipe. Not a terminal, and not /dev/null, which services have there.
fn has_input() -> io::Result<bool> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Ok(false);
    }
    let kind = File::from(stdin.as_fd().try_clone_to_owned()?).metadata()?.file_type();
    Ok(kind.is_file() || kind.is_fifo() || kind.is_socket())
}

fn tell(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Report { lines, first, last, repeated, losses } = report;
    if *first > 1 {
        writeln!(out, "older lines, 1 to {}, are not in these files", first - 1)?;
    }
    for Loss { first, last, time, left_out, torn } in losses {
        let piece = if *torn { ", a piece of which is there" } else { "" };
        let fast =
            if *left_out > 0 { format!(", {left_out} of them because they came too fast") } else { String::new() };
        writeln!(out, "recorded loss of {} lines{piece}{fast}: {first} to {last}, noted at {time}", last - first + 1)?;
    }
    if *repeated > 0 {
        writeln!(out, "{repeated} requests said the same as the one before and have a count instead of a line")?;
    }
    writeln!(out, "{lines} lines are whole and in order, up to {last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_what_is_missing() {
        let loss =
            Loss { first: 43, last: 47, time: "2026-01-31T00:00:00.000000Z".to_owned(), left_out: 2, torn: false };
        let mut out = Vec::new();
        tell(&Report { lines: 8, first: 41, last: 53, repeated: 7, losses: vec![loss] }, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "older lines, 1 to 40, are not in these files\n\
             recorded loss of 5 lines, 2 of them because they came too fast: 43 to 47, noted at 2026-01-31T00:00:00.000000Z\n\
             7 requests said the same as the one before and have a count instead of a line\n\
             8 lines are whole and in order, up to 53\n"
        );
    }
}
