//! The transcripts, played with the agent under test.

use bulkhead_conformance::harness;
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    harness::run(&bulkhead_test_support::agent_under_test(), &[])
}
