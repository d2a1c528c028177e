//! `bulkhead module enable`.

use super::named;
use super::words::shown;
use crate::which::Where;
use bulkhead_store::{State, Store, StoreError};
use std::io::Write;
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The module.
    name: String,
    /// A version, or the beginning of its digest, that is let out of quarantine and becomes current. Without: the current one or,
    /// if none is, the last that was installed and is not in quarantine.
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
    let last = entry.versions.first().map(|version| version.digest.clone());
    let digest = match wanted {
        Some(wanted) => named::digest_of(entry, wanted)?,
        None => last_good(state, name)?,
    };
    let entry = named::entry(state, name)?;
    entry.enabled = true;
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

/// The version that is meant where none was named: out of quarantine one is let by its name only.
fn last_good(state: &State, name: &str) -> Result<String, StoreError> {
    let entry = state.modules.get(name);
    let current = entry.and_then(|entry| entry.version(entry.current.as_deref()?));
    let kept = entry.into_iter().flat_map(|entry| &entry.versions);
    let mut good = current.into_iter().chain(kept).filter(|version| !state.quarantine.contains_key(&version.digest));
    good.next().map(|version| version.digest.clone()).ok_or_else(|| {
        StoreError::Refused(format!(
            "all versions of {name} are in quarantine: 'bulkhead module enable {name} VERSION' lets one run"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::super::named::tests::state_of;
    use super::*;

    const NAME: &str = "com.example.x";

    fn withdraw(state: &mut State, place: usize) {
        let digest = state.modules[NAME].versions[place].digest.clone();
        assert!(state.roll_back(NAME, &digest, "it failed", 0));
    }

    #[test]
    fn a_version_leaves_quarantine_by_its_name_only() {
        let mut state = state_of(&["2.0", "1.0"]);
        withdraw(&mut state, 0);
        if let Some(entry) = state.modules.get_mut(NAME) {
            entry.current = None;
        }
        let said = enable(&mut state, NAME, None).unwrap();
        assert!(
            said.starts_with("com.example.x 1.0 is enabled, and current\nVersion 2.0 is still in quarantine"),
            "{said}"
        );
        assert_eq!(state.quarantine.len(), 1);
        withdraw(&mut state, 1);
        assert!(
            enable(&mut state, NAME, None).unwrap_err().to_string().starts_with("all versions of com.example.x are in")
        );
        let said = enable(&mut state, NAME, Some("2.0")).unwrap();
        assert!(said.contains("It was in quarantine, and is on probation again."), "{said}");
        assert_eq!(state.quarantine.len(), 1);
    }
}
