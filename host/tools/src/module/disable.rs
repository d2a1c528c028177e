//! `bulkhead module disable`.

use super::named;
use crate::which::Where;
use bulkhead_store::Store;
use std::io::Write;
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The module.
    name: String,
}

/// Runs the tool.
pub(crate) fn run(r#where: &Where, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let name = &options.name;
    Store::new(&r#where.store).update(&format!("disable {name}"), |state| {
        named::entry(state, name)?.enabled = false;
        Ok(())
    })?;
    writeln!(out, "{name} is disabled; its versions are kept, and 'bulkhead module enable {name}' lets it run again")?;
    Ok(ExitCode::SUCCESS)
}
