//! `bulkhead module remove`.

use super::named;
use crate::which::Where;
use bulkhead_catalog::modules;
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
    let counter = Store::new(&r#where.store).update(&format!("remove {name}"), |state| {
        let entry = named::entry(state, name)?;
        // The counter stays: who could have a module removed could otherwise have an old version of it installed.
        entry.versions.clear();
        entry.current = None;
        Ok(entry.counter)
    })?;
    let after = if modules::is_built_in(name) { "the built-in module answers again" } else { "its commands are gone" };
    writeln!(out, "{name} is removed: {after}; a version with a counter below {counter} is not installed again")?;
    writeln!(out, "'bulkhead module gc' removes its files from the disk.")?;
    Ok(ExitCode::SUCCESS)
}
