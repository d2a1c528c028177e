//! `bulkhead module rollback`.

use super::named;
use super::words::{short, shown};
use crate::modules;
use crate::owner::Where;
use bulkhead_store::{State, Store, StoreError};
use std::io::Write;
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The module.
    name: String,
    /// To this version, or the one whose digest begins so. Without: to the one before or, if there is none, to the built-in module.
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
}

/// Runs the tool.
pub(crate) fn run(r#where: &Where, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let Options { name, to } = options;
    let told = Store::new(&r#where.store)
        .update(&format!("rollback {name}"), |state| roll_back(state, name, to.as_deref()))?;
    writeln!(out, "{told}")?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the change, and says what is so now.
fn roll_back(state: &mut State, name: &str, to: Option<&str>) -> Result<String, StoreError> {
    let entry = named::entry(state, name)?;
    let wanted = to.map(|wanted| named::digest_of(entry, wanted)).transpose()?;
    let target = match wanted {
        Some(digest) => Some(digest),
        None => {
            let Some(current) = entry.current.clone() else {
                let refusal = format!("{name} has no current version to roll back from: say --to which one you want");
                return Err(StoreError::Refused(refusal));
            };
            state.predecessor(name, &current).map(|version| version.digest.clone())
        }
    };
    if let Some(digest) = &target
        && let Some(quarantine) = state.quarantine.get(digest)
    {
        return Err(StoreError::Refused(format!(
            "{name} {} is in quarantine, for {}: 'bulkhead module enable {name} {}' lets it run",
            quarantine.version,
            shown(&quarantine.reason),
            short(digest)
        )));
    }
    let entry = named::entry(state, name)?;
    entry.current.clone_from(&target);
    let version = target.and_then(|digest| entry.version(&digest));
    Ok(match version {
        Some(version) => {
            format!("{name} {} is current: sha256 {}", version.manifest.version, version.digest)
        }
        None if modules::names().contains(&name) => format!("the built-in module {name} answers again"),
        None => format!("no version of {name} is current: its commands are gone until one is"),
    })
}
