//! The command line.

use clap::Parser;
use std::path::PathBuf;

/// Measures the agent against qemu-ga. Both run at the same time and take turns, phase by phase.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Options {
    /// The agent to measure [default: BULKHEAD_AGENT, else target/release/qemu-ga]
    #[arg(long, value_name = "PATH")]
    pub(crate) agent: Option<PathBuf>,
    /// The qemu-ga to compare with [default: BULKHEAD_ORACLE, else the installed one]
    #[arg(long, value_name = "PATH")]
    pub(crate) oracle: Option<PathBuf>,
    /// How often to measure everything; the table shows medians
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
    /// Fewer repetitions per phase: about 20 seconds, larger spread
    #[arg(long)]
    pub(crate) quick: bool,
    /// Bind the client to processor 0 and the agents to processor 1
    #[arg(long)]
    pub(crate) pin: bool,
    /// Where all single values go [default: target/bench.json in the repository]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Options {
    pub(crate) fn json(&self) -> PathBuf {
        let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/bench.json");
        self.json.clone().unwrap_or_else(|| PathBuf::from(default))
    }
}
