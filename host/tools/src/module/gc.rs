//! `bulkhead module gc`.

use crate::which::Where;
use bulkhead_store::Store;
use std::io::Write;
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {}

/// Runs the tool.
pub(crate) fn run(r#where: &Where, _options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let (files, bytes) = Store::new(&r#where.store).collect()?;
    writeln!(out, "{files} files removed, {} KiB", bytes.div_ceil(1024))?;
    Ok(ExitCode::SUCCESS)
}
