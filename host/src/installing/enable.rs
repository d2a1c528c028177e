//! `bulkhead module enable`.

use super::named;
use super::words::shown;
use crate::owner::Where;
use bulkhead_store::{State, Store, StoreError};
use std::io::Write;
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The module.
    name: String,
    /// A version, or the beginning of its digest, that is let out of quarantine and becomes current. Without: the current one or,
    /// if none is, the last that was installed.
    version: Option<String>,
}

/// Runs the tool.
pub(crate) fn run(r#where: &Where, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let Options { name, version } = options;
    let told = Store::new(&r#where.store)
        .update(&format!("enable {name}"), |state| enable(state, name, version.as_deref()))?;
    out.write_all(told.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the change, and says what is so now.
fn enable(state: &mut State, name: &str, wanted: Option<&str>) -> Result<String, StoreError> {
    let entry = named::entry(state, name)?;
    entry.enabled = true;
    let last = entry.versions.first().map(|version| version.digest.clone());
    let digest = match wanted {
        Some(wanted) => Some(named::digest_of(entry, wanted)?),
        None => entry.current.clone().or(last.clone()),
    };
    let Some(digest) = digest else { return Err(StoreError::Refused(format!("{name} has no version that could run"))) };
    entry.current = Some(digest.clone());
    let was_in_quarantine = state.release(&digest);
    let entry = named::entry(state, name)?;
    let Some(version) = entry.versions.iter_mut().find(|version| version.digest == digest) else {
        return Err(StoreError::Refused(format!("{name} has no version {digest}")));
    };
    // What failed once is watched as if it were new.
    version.proven &= !was_in_quarantine;
    let mut told = format!("{name} {} is enabled, and current\n", version.manifest.version);
    if was_in_quarantine {
        told += "It was in quarantine, and is on probation again.\n";
    }
    let newest =
        last.filter(|last| *last != digest).and_then(|last| Some((last.clone(), state.quarantine.get(&last)?)));
    if let Some((_, quarantine)) = newest {
        told += &format!(
            "Version {} is still in quarantine, for {}: 'bulkhead module enable {name} {0}' lets it run.\n",
            quarantine.version,
            shown(&quarantine.reason)
        );
    }
    Ok(told)
}
