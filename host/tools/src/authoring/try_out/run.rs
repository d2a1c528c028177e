//! `bulkhead module run`: one request, its reply, and all that the module asked the host for.

use super::case::{self, Cases};
use super::policy;
use super::stage::{Answer, Stage};
use crate::which::Where;
use bulkhead_gate::Gate;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The module. It need not be signed.
    file: PathBuf,
    /// The request as a client would send it, such as '{"execute":"__com.example_backup-age","arguments":{"job":"daily"}}'; or
    /// the name of a command that needs no arguments.
    request: String,
    #[command(flatten)]
    before: Before,
}

/// In front of which system.
#[derive(Debug, clap::Args)]
pub(super) struct Before {
    /// The cases. Without: cases.toml beside the module.
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// In front of the system that this case pretends. Without: one that has nothing.
    #[arg(long, value_name = "NAME", conflicts_with = "here")]
    case: Option<String>,
    /// In front of this machine, which is looked at and not touched: files are read, and what would change something is only
    /// pretended.
    #[arg(long)]
    here: bool,
}

/// Runs the tool.
pub(crate) fn run(r#where: &Where, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mut stage = Stage::open(&options.file, r#where.compiler.as_deref())?;
    let system = options.before.set(&mut stage, &options.file)?;
    let answer = stage.answer(&options.request)?;
    let done = system.map(|system| system.events()).unwrap_or_default();
    show(&answer, &done, out)?;
    let failed = answer.reply.as_ref().is_some_and(|reply| reply.get("error").is_some());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Before {
    /// Sets the stage. What is done to a pretended system is told by what this returns.
    pub(super) fn set(&self, stage: &mut Stage, module: &Path) -> anyhow::Result<Option<bulkhead_sys::Fake>> {
        if let Some(name) = &self.case {
            let cases = Cases::read(&case::file(self.cases.as_ref(), module))?;
            return cases.named(name)?.set(stage).map(Some);
        }
        let everything = policy::everything(&stage.module.manifest, &stage.module.imports)?;
        if self.here {
            stage.set(Gate::reading(everything), false);
            return Ok(None);
        }
        let system = bulkhead_sys::Fake::default();
        stage.set(Gate::pretending(everything, Box::new(system.clone())), false);
        Ok(Some(system))
    }
}

fn show(answer: &Answer, done: &[String], out: &mut dyn Write) -> anyhow::Result<()> {
    match &answer.reply {
        Some(reply) => writeln!(out, "{reply}")?,
        None => writeln!(out, "no reply, as always if it succeeds")?,
    }
    for asked in &answer.asked {
        let denied = if asked.granted { "" } else { ", which was denied" };
        let times = if asked.times == 1 { String::new() } else { format!(", {} times", asked.times) };
        writeln!(out, "asked: {}{times}{denied}", asked.what)?;
    }
    for deed in done {
        writeln!(out, "done: {}", deed.escape_debug())?;
    }
    for line in answer.log.lines() {
        writeln!(out, "log: {}", line.trim())?;
    }
    writeln!(out, "in {} us", answer.time.as_micros())?;
    Ok(())
}
