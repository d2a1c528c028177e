//! `bulkhead status`: how the agent is, from what it says of itself, from its files and from its store.

mod changes;
mod figures;
mod rows;

use crate::running_agent::{asked, configured, is_frozen};
use bulkhead_host::briefly::date;
use bulkhead_host::running::Report;
use bulkhead_store::{DEFAULT_STORE, State, Store};
use changes::Changes;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// The exit code if no agent runs: that of `systemctl status`.
const NOT_RUNNING: u8 = 3;

/// What the command line says.
///
/// Ends with 0 if an agent runs, with 3 if none does, and with 1 if that cannot be said.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The state directory of the agent [default: the one that the agent's configuration file names].
    #[arg(long, value_name = "DIR")]
    statedir: Option<PathBuf>,
    /// Print it as JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// What is known.
struct Status {
    /// The process of the agent, and what it says, if it has said something yet; nothing if none runs.
    agent: Option<(i32, Option<Report>)>,
    /// Whether it has file systems frozen.
    frozen: bool,
    /// What has changed since it read its files.
    changes: Changes,
    /// Where the modules are installed.
    store: PathBuf,
    /// What is installed, or why that cannot be read.
    installed: Result<State, String>,
}

/// Runs the tool.
pub(crate) fn run(options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let config = configured();
    let statedir = match (&options.statedir, &config) {
        (Some(statedir), _) => statedir.clone(),
        (None, Ok(config)) => config.statedir.clone(),
        (None, Err(_)) => return config.map(|_| ExitCode::FAILURE),
    };
    let agent = asked(&statedir)?;
    let report = agent.as_ref().and_then(|(_, report)| report.as_ref());
    let changes = report.map(Changes::since).unwrap_or_default();
    let said = report.map(|report| report.store.clone());
    let configured = || config.ok().and_then(|config| config.module_store).unwrap_or_else(|| DEFAULT_STORE.into());
    let store = said.unwrap_or_else(configured);
    let installed = Store::new(&store).read().map_err(|error| format!("{:#}", anyhow::Error::new(error)));
    let frozen = agent.is_some() && is_frozen(&statedir);
    let status = Status { agent, frozen, changes, store, installed };
    if options.json {
        serde_json::to_writer_pretty(&mut *out, &status.json())?;
        writeln!(out)?;
    } else {
        status.write(out)?;
    }
    Ok(if status.agent.is_some() { ExitCode::SUCCESS } else { ExitCode::from(NOT_RUNNING) })
}

impl Status {
    fn report(&self) -> Option<&Report> {
        self.agent.as_ref()?.1.as_ref()
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match &self.agent {
            None => writeln!(out, "agent: none runs")?,
            Some((pid, None)) => writeln!(out, "agent: process {pid}, which says nothing of itself")?,
            Some((pid, Some(it))) => {
                writeln!(out, "agent: version {}, process {pid}, since {}", it.version, date(it.since))?;
                if self.frozen {
                    writeln!(out, "  file systems are frozen")?;
                }
                self.write_policy(it, out)?;
                figures::write(it, out)?;
            }
        }
        writeln!(out, "modules: {}", self.store.display())?;
        if let Err(why) = &self.installed {
            writeln!(out, "  cannot be read: {why}")?;
        }
        rows::write(&self.rows(), out)
    }

    fn write_policy(&self, it: &Report, out: &mut dyn Write) -> io::Result<()> {
        let Some(in_force) = &it.in_force else {
            writeln!(out, "policy: {} (from {})", it.digest, it.files.file.display())?;
            return self.changes.write(it, out);
        };
        writeln!(out, "started as: {}", in_force.program)?;
        writeln!(out, "policy: {}", in_force.policy())?;
        writeln!(out, "  in force since {}, SHA-256 {}", date(in_force.policy_since), it.digest)?;
        self.changes.write(it, out)?;
        let lists = [("block-rpcs", &in_force.lists.block), ("allow-rpcs", &in_force.lists.allow)];
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            writeln!(out, "{name}: {}", list.join(", "))?;
        }
        in_force.warnings.iter().try_for_each(|warning| writeln!(out, "warning: {warning}"))
    }

    fn json(&self) -> Value {
        let report = self.report();
        let in_force = report.and_then(|it| it.in_force.as_ref());
        let agent = self.agent.as_ref().map(|(pid, _)| {
            json!({
                "pid": pid,
                "version": report.map(|it| &it.version),
                "since": report.map(|it| it.since),
                "started-as": in_force.map(|it| &it.program),
                "frozen": self.frozen,
            })
        });
        let policy = report.map(|it| {
            let files = in_force.map(|it| it.files.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>());
            json!({
                "digest": it.digest,
                "profile": in_force.and_then(|it| it.profile.as_ref()),
                "files": files,
                "file": it.files.file.to_string_lossy(),
                "since": in_force.map(|it| it.policy_since),
                "changed": self.changes.policy_json(),
                "refused": it.refused,
            })
        });
        let configuration = in_force.map(|it| {
            json!({
                "file": it.configuration.as_ref().map(|(file, _)| file.to_string_lossy()),
                "changed": self.changes.configuration,
                "block-rpcs": it.lists.block,
                "allow-rpcs": it.lists.allow,
                "warnings": it.warnings,
            })
        });
        json!({
            "agent": agent,
            "policy": policy,
            "configuration": configuration,
            "figures": report.map(figures::json),
            "store": self.store.to_string_lossy(),
            "trouble": self.installed.as_ref().err(),
            "modules": self.rows().iter().map(rows::Row::json).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests;
