//! The command line.

use anyhow::{Context, Result};
use bulkhead_test_support::oracle;
use clap::Parser;
use std::path::{Path, PathBuf};

/// Measures the agent against qemu-ga. Both run at the same time and take turns, phase by phase.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Options {
    /// The agent to measure [default: BULKHEAD_AGENT, else target/release/qemu-ga]
    #[arg(long, value_name = "PATH")]
    pub(crate) agent: Option<PathBuf>,
    /// The qemu-ga to compare with [default: BULKHEAD_ORACLE, else what `make newest-qemu-ga` has fetched, else the
    /// installed one]
    #[arg(long, value_name = "PATH")]
    oracle: Option<PathBuf>,
    /// The program that does only what no agent can avoid [default: target/limit, which `make bench` builds]
    #[arg(long, value_name = "PATH")]
    limit: Option<PathBuf>,
    /// How often to measure everything; the table shows medians
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
    /// Fewer repetitions per phase: about a minute, larger spread
    #[arg(long)]
    pub(crate) quick: bool,
    /// Bind the client to processor 0 and the agents to processor 1
    #[arg(long)]
    pub(crate) pin: bool,
    /// Where all single values go [default: target/bench.json in the repository]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Where everything is that was built, fetched or measured.
fn target() -> PathBuf {
    let target = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target"));
    target.canonicalize().unwrap_or_else(|_| target.to_owned())
}

impl Options {
    pub(crate) fn json(&self) -> PathBuf {
        self.json.clone().unwrap_or_else(|| target().join("bench.json"))
    }

    /// The qemu-ga to compare with, and in a few words where it is from.
    pub(crate) fn oracle(&self) -> Result<(PathBuf, &'static str)> {
        let fetched = Some(target().join("qemu-ga/qemu-ga")).filter(|path| path.exists());
        let named = self.oracle.clone().map(|path| (path, "named by --oracle"));
        let chosen = std::env::var_os("BULKHEAD_ORACLE").filter(|path| !path.is_empty());
        let chosen = chosen.map(|path| (path.into(), "named by BULKHEAD_ORACLE"));
        let fetched = fetched.map(|path| (path, "fetched by make newest-qemu-ga"));
        let installed = || Some((oracle()?, "installed here; make newest-qemu-ga fetches the newest"));
        named.or(chosen).or(fetched).or_else(installed).context(
            "no qemu-ga to compare with: apt-get install qemu-guest-agent, make newest-qemu-ga, or name one by --oracle",
        )
    }

    /// The limit's program, if there is one.
    pub(crate) fn limit(&self) -> Option<PathBuf> {
        let built = Some(target().join("limit")).filter(|path| path.exists());
        self.limit.clone().or(built)
    }
}
