//! The agent that runs on this machine, as the tools find it: by what it writes into its state directory.

use anyhow::{Context, bail};
use bulkhead_config::{Action, Config, Known, parse};
use bulkhead_host::running::Report;
use bulkhead_os::process::ask;
use std::ffi::OsString;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long to wait for the agent's figures. It tells them between two requests; one that is busy has told older ones.
const ANSWER: Duration = Duration::from_secs(1);

/// How often to look for them meanwhile.
const LOOK: Duration = Duration::from_millis(10);

/// The settings of an agent without options.
pub(crate) fn configured() -> anyhow::Result<Config> {
    let words = ["bulkhead-agent", "--dump-conf"].map(OsString::from);
    let known = Known { command_fault: &bulkhead_broker::rulings::name_fault, is_drop_in: false };
    match parse(words, |name| std::env::var_os(name), &known).context("give --statedir")? {
        Action::DumpConfig(config) => Ok(config),
        other => bail!("the configuration asks for {other:?}"),
    }
}

/// The agent that runs with a state directory, and what it says of itself when it is asked now; what it said last if it is busy.
/// Nothing if none runs.
pub(crate) fn asked(statedir: &Path) -> anyhow::Result<Option<(i32, Option<Report>)>> {
    let look = || Report::of_agent(statedir).with_context(|| format!("cannot look into {}", statedir.display()));
    let number = |report: &Report| report.told.as_ref().map(|told| told.number);
    let found = look()?;
    let Some((pid, Some(report))) = &found else { return Ok(found) };
    // One that does not know the question would be ended by it.
    let (Some(before), false) = (number(report), is_frozen(statedir)) else { return Ok(found) };
    if ask(*pid).is_err() {
        return Ok(found);
    }
    let end = Instant::now() + ANSWER;
    while Instant::now() < end {
        if let Some((now, Some(report))) = look()?
            && now == *pid
            && number(&report) != Some(before)
        {
            return Ok(Some((now, Some(report))));
        }
        sleep(LOOK);
    }
    Ok(found)
}

/// Whether the agent with this state directory has file systems frozen. It says so before it freezes the first.
pub(crate) fn is_frozen(statedir: &Path) -> bool {
    statedir.join("qga.state.isfrozen").exists()
}
