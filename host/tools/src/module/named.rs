//! Modules and versions, as the owner names them.

use super::words::shown;
use anyhow::{anyhow, bail};
use bulkhead_store::{Entry, State, StoreError, Version};

/// The entry of a module that is installed, to be changed.
pub(super) fn entry<'a>(state: &'a mut State, name: &str) -> Result<&'a mut Entry, StoreError> {
    let refusal = not_installed(state, name);
    state.modules.get_mut(name).filter(|entry| !entry.versions.is_empty()).ok_or(StoreError::Refused(refusal))
}

/// What is said of a module that is not installed.
pub(super) fn not_installed(state: &State, name: &str) -> String {
    let names: Vec<_> =
        state.modules.iter().filter(|(_, it)| !it.versions.is_empty()).map(|it| it.0.as_str()).collect();
    let there = if names.is_empty() { "none is".to_owned() } else { format!("there are {}", names.join(", ")) };
    format!("no module {} is installed: {there}", shown(name))
}

/// The version that is meant by its name or the beginning of its digest.
pub(super) fn version<'a>(entry: &'a Entry, wanted: &str) -> anyhow::Result<&'a Version> {
    let is_digest = wanted.len() >= 6 && wanted.bytes().all(|byte| byte.is_ascii_hexdigit());
    let meant = |version: &&Version| {
        version.manifest.version == wanted || (is_digest && version.digest.starts_with(&wanted.to_ascii_lowercase()))
    };
    let mut found = entry.versions.iter().filter(meant);
    let kept = || entry.versions.iter().map(|it| it.manifest.version.as_str()).collect::<Vec<_>>().join(", ");
    let first = found.next().ok_or_else(|| anyhow!("no version {} is kept: there are {}", shown(wanted), kept()))?;
    if found.next().is_some() {
        bail!(
            "more than one version is called {}: say the digest, as 'bulkhead module inspect' shows it",
            shown(wanted)
        );
    }
    Ok(first)
}

/// The same inside a change of the store.
pub(super) fn digest_of(entry: &Entry, wanted: &str) -> Result<String, StoreError> {
    version(entry, wanted).map(|version| version.digest.clone()).map_err(|error| StoreError::Refused(error.to_string()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use bulkhead_store::Manifest;

    /// A state with these versions of `com.example.x`, the last installed one first, which is current.
    pub(in crate::module) fn state_of(versions: &[&str]) -> State {
        let named: Vec<_> = versions.iter().map(|name| (*name, bulkhead_store::digest::of(name.as_bytes()))).collect();
        let named: Vec<_> = named.iter().map(|(name, digest)| (*name, digest.as_str())).collect();
        let entry = Entry { current: named.first().map(|(_, digest)| (*digest).to_owned()), ..entry_of(&named) };
        State { modules: [("com.example.x".to_owned(), entry)].into(), ..State::default() }
    }

    fn entry_of(versions: &[(&str, &str)]) -> Entry {
        let version = |(name, digest): &(&str, &str)| Version {
            digest: (*digest).to_owned(),
            manifest: Manifest {
                manifest: 1,
                name: "com.example.x".to_owned(),
                version: (*name).to_owned(),
                counter: 1,
                agent: "0.1.0".to_owned(),
                description: String::new(),
                commands: Vec::new(),
                schema: String::new(),
                self_test: Vec::new(),
            },
            imports: Vec::new(),
            signer: String::new(),
            codes: Vec::new(),
            installed: 0,
            proven: true,
        };
        Entry { versions: versions.iter().map(version).collect(), ..Entry::default() }
    }

    #[test]
    fn a_version_is_meant_by_name_or_digest() {
        let entry = entry_of(&[("2.0", "abcdef0123"), ("1.0", "abcdef4567"), ("1.0", "0000004567")]);
        assert_eq!(version(&entry, "2.0").unwrap().digest, "abcdef0123");
        assert_eq!(version(&entry, "ABCDEF4").unwrap().digest, "abcdef4567");
        for several in ["1.0", "abcdef"] {
            assert!(version(&entry, several).unwrap_err().to_string().starts_with("more than one"), "{several}");
        }
        assert_eq!(version(&entry, "3").unwrap_err().to_string(), "no version 3 is kept: there are 2.0, 1.0, 1.0");
        assert!(version(&entry, "abcd").is_err(), "too short for a digest");
    }

    #[test]
    fn a_module_that_was_removed_is_not_installed() {
        let mut state = State::default();
        state.modules.insert("com.example.x".to_owned(), Entry::default());
        let said = entry(&mut state, "com.example.x").unwrap_err().to_string();
        assert_eq!(said, "no module com.example.x is installed: none is");
        state.modules.insert("com.example.y".to_owned(), entry_of(&[("1", "a")]));
        let said = entry(&mut state, "\u{1b}x").unwrap_err().to_string();
        assert_eq!(said, "no module \\u{1b}x is installed: there are com.example.y");
    }
}
