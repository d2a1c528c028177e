//! The transcripts, played with the agent under test.

use bulkhead_conformance::harness::{Agent, run};
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    run(&bulkhead_test_support::agent_under_test(), Agent::UnderTest)
}
