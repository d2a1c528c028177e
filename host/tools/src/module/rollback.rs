//! `bulkhead module rollback`.

use super::named;
use super::words::{date, short, shown};
use crate::which::Where;
use bulkhead_catalog::modules;
use bulkhead_store::{State, Store, StoreError};
use std::io::Write;
use std::process::ExitCode;

/// What stands for no version at all.
const NONE: &str = "none";

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The module.
    name: String,
    /// To this version, or the one whose digest begins so; 'none' stands for the built-in module or, if there is none, for taking
    /// the commands away. Without: to the version before or, if there is none, to the built-in module.
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
    let target = match to {
        Some(NONE) => None,
        Some(wanted) => Some(named::digest_of(entry, wanted)?),
        None => before(state, name).map_err(StoreError::Refused)?,
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
        None if modules::is_built_in(name) => format!("the built-in module {name} answers again"),
        None => format!("no version of {name} is current: its commands are gone until one is"),
    })
}

/// The version to go back to where none was named; or why one must be named. Whoever types it may not know that the agent has gone
/// back by itself already, and would take away what was left of good versions.
fn before(state: &State, name: &str) -> Result<Option<String>, String> {
    let Some(entry) = state.modules.get(name) else { return Ok(None) };
    let is_built_in = modules::is_built_in(name);
    let nothing = if is_built_in { "lets the built-in module answer" } else { "takes its commands away" };
    if let Some((bad, quarantine)) = gone_back_from(state, name) {
        let serves = match entry.current.as_ref().and_then(|digest| entry.version(digest)) {
            Some(version) => format!("{} serves already", version.manifest.version),
            None if is_built_in => "the built-in module answers already".to_owned(),
            None => "its commands are gone already".to_owned(),
        };
        return Err(format!(
            "{name}: {serves}, since {}, when the agent went back from {}, for {}. '--to VERSION' goes to another version, '--to \
             {NONE}' {nothing}",
            date(quarantine.since),
            bad.manifest.version,
            shown(&quarantine.reason)
        ));
    }
    let Some(current) = &entry.current else {
        return Err(format!("{name} has no current version to roll back from: say --to which one you want"));
    };
    match state.predecessor(name, current) {
        Some(version) => Ok(Some(version.digest.clone())),
        None if is_built_in => Ok(None),
        None => Err(format!("{name} has no version before the current one: '--to {NONE}' {nothing}")),
    }
}

/// The version that was installed after the current one, and that the agent has withdrawn; the last such one.
fn gone_back_from<'a>(
    state: &'a State,
    name: &str,
) -> Option<(&'a bulkhead_store::Version, &'a bulkhead_store::Quarantine)> {
    let entry = state.modules.get(name)?;
    let newer = entry.versions.iter().take_while(|version| entry.current.as_ref() != Some(&version.digest));
    newer.filter_map(|version| Some((version, state.quarantine.get(&version.digest)?))).max_by_key(|(_, it)| it.since)
}

#[cfg(test)]
mod tests {
    use super::super::named::tests::state_of;
    use super::*;

    fn said(state: &mut State, to: Option<&str>) -> String {
        roll_back(state, "com.example.x", to).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn after_the_agent_has_gone_back_by_itself_a_version_must_be_named() {
        let mut state = state_of(&["3.0", "2.0", "1.0"]);
        let [bad, good] = [0, 1].map(|place| state.modules["com.example.x"].versions[place].digest.clone());
        assert!(state.roll_back("com.example.x", &bad, "it failed", 1_700_000_000));
        let before = state.clone();
        assert_eq!(
            said(&mut state, None),
            "com.example.x: 2.0 serves already, since 2023-11-14T22:13:20Z, when the agent went back from 3.0, for it failed. '--to \
             VERSION' goes to another version, '--to none' takes its commands away"
        );
        assert_eq!(state, before);
        assert!(said(&mut state, Some("3.0")).contains("is in quarantine, for it failed"));
        assert!(said(&mut state, Some("1.0")).starts_with("com.example.x 1.0 is current"));
        assert!(said(&mut state, Some("2.0")).starts_with("com.example.x 2.0 is current"));
        assert_eq!(state.modules["com.example.x"].current.as_ref(), Some(&good));
    }

    #[test]
    fn the_last_version_is_not_taken_away_unless_that_is_said() {
        let mut state = state_of(&["1.0"]);
        assert!(
            said(&mut state, None).ends_with("no version before the current one: '--to none' takes its commands away")
        );
        assert!(state.modules["com.example.x"].current.is_some());
        assert!(said(&mut state, Some("none")).contains("its commands are gone until one is"));
        assert!(said(&mut state, None).contains("say --to which one you want"));
        let digest = state.modules["com.example.x"].versions[0].digest.clone();
        assert!(state.roll_back("com.example.x", &digest, "it failed", 0));
        assert!(said(&mut state, None).contains("its commands are gone already, since "));
    }

    #[test]
    fn without_a_failure_it_goes_to_the_version_before() {
        let mut state = state_of(&["2.0", "1.0"]);
        assert!(said(&mut state, None).starts_with("com.example.x 1.0 is current"));
    }
}
