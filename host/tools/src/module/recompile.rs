//! `bulkhead module recompile`: machine code of another engine is never loaded; this makes it anew from the kept component.

use super::codes;
use super::compiler::Compiler;
use super::words::{Progress, now, short};
use crate::which::Where;
use anyhow::Context;
use bulkhead_store::{Keys, Store, StoreError, Version};
use std::io::Write;
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Say on stderr what is being done, also where that is no terminal.
    #[arg(long, short)]
    verbose: bool,
}

/// Runs the tool. One version that cannot be compiled does not keep the others from being.
pub(crate) fn run(r#where: &Where, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let progress = Progress::new(options.verbose);
    let store = Store::new(&r#where.store);
    let state = store.read()?;
    let versions = state.modules.values().flat_map(|entry| &entry.versions);
    let stale: Vec<_> = versions.filter(|version| !codes::is_loadable(version)).collect();
    if stale.is_empty() {
        writeln!(out, "nothing to do: all machine code is of this engine, {}", bulkhead_engine::IDENTITY)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (keys, compiler) = (Keys::read(&r#where.keys)?, Compiler::find(r#where.compiler.as_deref())?);
    let mut failed = 0;
    for version in &stale {
        let name = format!("{} {} ({})", version.manifest.name, version.manifest.version, short(&version.digest));
        progress.step(&format!("compiling {name}"));
        match recompile(&store, &keys, &compiler, version) {
            Ok(()) => writeln!(out, "{name} is compiled again")?,
            Err(error) => {
                failed += 1;
                eprintln!("bulkhead: {name} is not compiled again, and does not run: {error:#}");
            }
        }
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The signature counts again: whoever lost the owner's trust since does not get new machine code.
fn recompile(store: &Store, keys: &Keys, compiler: &Compiler, version: &Version) -> anyhow::Result<()> {
    let (component, signature) = store.component(version)?;
    keys.signer(&component, &signature)?.check(&version.manifest.name, now())?;
    let codes = codes::compile(compiler, &component).context("it cannot be compiled")?;
    let what = format!("recompile {} {}", version.manifest.name, version.manifest.version);
    store.install(&what, &component, &signature, &codes, |state| {
        let entry = state.modules.get_mut(&version.manifest.name);
        let kept = entry.and_then(|entry| entry.versions.iter_mut().find(|kept| kept.digest == version.digest));
        let kept = kept.ok_or_else(|| StoreError::Refused("it was removed meanwhile".to_owned()))?;
        kept.codes = codes.iter().map(|(code, _)| code.clone()).collect();
        Ok(())
    })?;
    Ok(())
}
