//! `bulkhead policy reload`: the running agent reads its policy again.

use crate::running_agent::{configured, is_frozen};
use crate::which::Whose;
use anyhow::{Context, bail};
use bulkhead_broker::policy_files::{Loaded, PolicyFiles};
use bulkhead_host::running::Report;
use bulkhead_os::process::hang_up;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long to wait for the agent's word. It hears a signal between two requests, and most take milliseconds; one that runs a
/// hook script or shuts down may take minutes, and then it is better to say so than to wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often to look for it meanwhile.
const LOOK: Duration = Duration::from_millis(10);

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The state directory of the agent [default: the one that the agent's configuration file names].
    #[arg(long, value_name = "DIR")]
    statedir: Option<PathBuf>,
}

/// Runs the tool. The agent is told only if its files are sound: the check is the one that it makes itself, and it makes it
/// again.
pub(crate) fn run(whose: &Whose, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let statedir = options.statedir.clone().map_or_else(configured_statedir, Ok)?;
    let (pid, before) = find(&statedir)?;
    if let Some(named) = &whose.policy
        && std::path::absolute(named)? != before.files.file
    {
        bail!("the agent (process {pid}) reads {}, not {}", before.files.file.display(), named.display());
    }
    let loaded = check(&before.files).with_context(|| format!("not reloaded, {} stays in force", before.digest))?;
    hang_up(pid).with_context(|| format!("cannot tell process {pid}"))?;
    let end = Instant::now() + PATIENCE;
    let after = loop {
        if let (now, Some(report)) = agent(&statedir)? {
            if now != pid {
                bail!("the agent has ended, and another has begun");
            }
            if report.reloads != before.reloads {
                break report;
            }
        }
        // Written by the agent before it freezes; it says in its log that it waits.
        if is_frozen(&statedir) {
            bail!("file systems are frozen: the agent will read its policy when they are thawed");
        }
        if Instant::now() > end {
            bail!("the agent (process {pid}) has been told but is still busy with a request: look into its log");
        }
        sleep(LOOK);
    };
    if let Some(why) = after.refused {
        bail!("not reloaded, {} stays in force: {why}", after.digest);
    }
    if after.digest != loaded.digest {
        bail!(
            "in force is {}, but checked was {}: the files have changed meanwhile, or the agent is of another version",
            after.digest,
            loaded.digest
        );
    }
    writeln!(out, "in force: {}{}", after.digest, if after.digest == before.digest { " (as before)" } else { "" })?;
    Ok(ExitCode::SUCCESS)
}

fn check(files: &PolicyFiles) -> anyhow::Result<Loaded> {
    Ok(files.load()?)
}

fn configured_statedir() -> anyhow::Result<PathBuf> {
    Ok(configured()?.statedir)
}

/// The agent that runs with a state directory, and what it says of itself.
fn find(statedir: &Path) -> anyhow::Result<(i32, Report)> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let (pid, Some(report)) = agent(statedir)? {
            return Ok((pid, report));
        }
        if Instant::now() > end {
            bail!("the agent says nothing of its policy in {}", statedir.join("bulkhead.run").display());
        }
        sleep(LOOK);
    }
}

fn agent(statedir: &Path) -> anyhow::Result<(i32, Option<Report>)> {
    let found = Report::of_agent(statedir).with_context(|| format!("cannot look into {}", statedir.display()))?;
    found.with_context(|| {
        let later = if is_frozen(statedir) {
            ", unless it began while file systems were frozen, as they still are"
        } else {
            ""
        };
        format!("no agent runs with the state directory {}{later}", statedir.display())
    })
}
