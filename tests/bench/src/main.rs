//! `make bench`: the agent and qemu-ga, measured side by side.
//!
//! Absolute times say more about the machine than about the agent, so both agents run at the same time and take turns
//! phase by phase (A B A B ...), in some phases with a third, the limit: whatever else the machine does hits both alike, and the ratio is what counts. Each
//! agent's figure is the median of the runs; the ratio is the median of the runs' own ratios.
//!
//! The exit status is never a verdict on speed. It is non-zero only when something is wrong: a bad reply, wrong data,
//! no qemu-ga to compare with.

mod connection;
mod costs;
mod figures;
mod growth;
mod modules;
mod options;
mod owner;
mod phases;
mod policy;
mod process;
mod report;
mod usage;

use anyhow::{Context, Result, ensure};
use bulkhead_test_support::agent_under_test;
use clap::Parser;
use figures::Figures;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use options::Options;
use phases::{Binaries, Plan, TestFile};
use process::{Binary, Workspace};
use serde_json::json;
use std::process::ExitCode;

fn main() -> ExitCode {
    match bench(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bulkhead-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench(options: &Options) -> Result<()> {
    let (oracle, oracle_is) = options.oracle()?;
    let agent = options.agent.clone().unwrap_or_else(agent_under_test);
    let binaries = Binaries {
        oracle: Binary::new(oracle, options.pin)?,
        agent: Binary::new(agent, options.pin)?,
        limit: options.limit().map(|limit| Binary::new(limit, options.pin)).transpose()?,
    };

    let signs = owner::can_sign();
    if !signs {
        eprintln!("no minisign (Debian: apt-get install minisign): nothing is measured with installed modules");
    }
    if options.pin {
        let cpus = std::thread::available_parallelism()?.get();
        ensure!(cpus >= 2, "--pin needs two processors: one for the client and one for the agents");
        pin_to(0)?;
    }
    let workspace = Workspace::new()?;
    let file = TestFile::create(&workspace)?;
    let plan = if options.quick { Plan::quick() } else { Plan::full() };

    let mut figures = Figures::default();
    for run in 1..=options.runs {
        eprintln!("run {run} of {}", options.runs);
        phases::run(&binaries, &workspace, &file, &plan, &mut figures)?;
    }
    report::print_header(&binaries, oracle_is, options);
    report::print_table(&figures, binaries.limit.is_some());
    costs::print_table(&figures);
    let agent = &binaries.agent;
    let tables = json!({
        "policy": policy::print_table(agent, &workspace, &plan)?,
        "modules": signs.then(|| modules::print_table(agent, &workspace, &plan)).transpose()?,
        "growth": growth::print_table(agent, &workspace, &file, &plan, signs)?,
        "payload": growth::payload::print_table(agent, &workspace, &file, &plan)?,
    });
    report::write_json(&binaries, oracle_is, options, &figures, tables)?;
    println!("\nAll values of all runs: {}", options.json().canonicalize()?.display());
    Ok(())
}

/// Binds this thread to one processor. Processes started from here on inherit it.
fn pin_to(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &set).with_context(|| format!("cannot bind to processor {cpu}"))
}
