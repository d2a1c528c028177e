//! `make bench`: the agent and qemu-ga, measured side by side.
//!
//! Absolute times say more about the machine than about the agent, so both agents run at the same time and take turns
//! phase by phase (A B A B ...): whatever else the machine does hits both alike, and the ratio is what counts. Each
//! agent's figure is the median of the runs; the ratio is the median of the runs' own ratios.
//!
//! The exit status is never a verdict on speed. It is non-zero only when something is wrong: a bad reply, wrong data,
//! no qemu-ga to compare with.

mod connection;
mod figures;
mod modules;
mod options;
mod phases;
mod policy;
mod process;
mod report;
mod usage;

use anyhow::{Context, Result, ensure};
use bulkhead_test_support::{agent_under_test, oracle};
use clap::Parser;
use figures::Figures;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use options::Options;
use phases::{Plan, TestFile};
use process::{Binary, Workspace};
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
    let oracle = options.oracle.clone().or_else(oracle);
    let oracle =
        oracle.context("no qemu-ga to compare with: apt-get install qemu-guest-agent, or name one by --oracle")?;
    let agent = options.agent.clone().unwrap_or_else(agent_under_test);
    let binaries = [Binary::new(oracle, options.pin)?, Binary::new(agent, options.pin)?];

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
    report::print_table(&binaries, options, &figures);
    policy::print_table(&binaries[1], &workspace, &plan)?;
    modules::print_table(&binaries[1], &workspace, &plan)?;
    report::write_json(&binaries, options, &figures)?;
    println!("\nAll values of all runs: {}", options.json().canonicalize()?.display());
    Ok(())
}

/// Binds this thread to one processor. Processes started from here on inherit it.
fn pin_to(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &set).with_context(|| format!("cannot bind to processor {cpu}"))
}
