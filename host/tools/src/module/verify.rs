//! `bulkhead module verify`: is what is installed what was signed, and what was compiled of it?

use super::codes;
use super::compiler::Compiler;
use super::named;
use super::words::{now, short};
use crate::which::Where;
use anyhow::{Context, bail};
use bulkhead_store::{Keys, Store, Version};
use std::io::Write;
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The module. Without: all that are installed.
    name: Option<String>,
}

/// Runs the tool.
pub(crate) fn run(r#where: &Where, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let store = Store::new(&r#where.store);
    let mut state = store.read()?;
    if let Some(name) = &options.name {
        named::entry(&mut state, name)?;
        state.modules.retain(|other, _| other == name);
    }
    let versions: Vec<_> = state.modules.values().flat_map(|entry| &entry.versions).collect();
    if versions.is_empty() {
        writeln!(out, "no module is installed")?;
        return Ok(ExitCode::SUCCESS);
    }
    let (keys, compiler) = (Keys::read(&r#where.keys)?, Compiler::find(r#where.compiler.as_deref())?);
    let mut faults = 0;
    for version in versions {
        let name = format!("{} {} ({})", version.manifest.name, version.manifest.version, short(&version.digest));
        match verify(&store, &keys, &compiler, version) {
            Ok(signer) => writeln!(out, "{name}: good, signed by {signer}")?,
            Err(error) => {
                faults += 1;
                writeln!(out, "{name}: {error:#}")?;
            }
        }
    }
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks a version with the keys of today. Machine code is reproducible, so it is made again and compared: what the
/// agent loads is what the signed component means.
fn verify(store: &Store, keys: &Keys, compiler: &Compiler, version: &Version) -> anyhow::Result<String> {
    let (component, signature) = store.component(version)?;
    let key = keys.signer(&component, &signature)?;
    key.check(&version.manifest.name, now())?;
    let description = compiler.describe(&component)?;
    if description.manifest != version.manifest || description.imports != version.imports {
        bail!("the record of its manifest and imports is not what the component says: install it again");
    }
    if !codes::is_loadable(version) {
        bail!("its machine code is of another engine, and does not run: 'bulkhead module recompile' makes it anew");
    }
    for code in &version.codes {
        store.code(code)?;
    }
    for (made, _) in codes::compile(compiler, &component).context("it cannot be compiled again")? {
        if !version.codes.contains(&made) {
            bail!("its machine code in the form {} is not what the compiler makes of the component", made.form);
        }
    }
    Ok(key.name())
}
