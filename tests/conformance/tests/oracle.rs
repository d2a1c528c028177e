//! The transcripts, played with the real qemu-ga: they tell the truth about it, or `tests/oracle/exceptions.toml`
//! says where they do not, and why.

use anyhow::{Context, Result};
use bulkhead_conformance::exceptions::for_oracle;
use bulkhead_conformance::harness::{Agent, run};
use std::process::{Command, ExitCode};

fn main() -> Result<ExitCode> {
    let Some(oracle) = bulkhead_test_support::oracle() else {
        println!("no oracle: install the package qemu-guest-agent, or name a qemu-ga by BULKHEAD_ORACLE");
        println!("0 passed, 0 failed, 1 skipped");
        return Ok(ExitCode::SUCCESS);
    };
    let output = Command::new(&oracle).arg("-V").output().context("cannot ask the oracle for its version")?;
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = output.split_whitespace().last().context("the oracle says no version")?;
    println!("oracle: {} {version}", oracle.display());
    run(&oracle, Agent::Oracle(&for_oracle(version)?))
}
