//! What is installed: one file, `state.json`, replaced as a whole.

use crate::manifest::Manifest;
use crate::{digest, names};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many versions of a module are kept. It bounds what a vendor who publishes every week leaves on a small disk: the
/// one that runs, the one it is rolled back to, and one more, for a vendor whose last two were bad.
pub const VERSIONS: usize = 3;

/// How many components are remembered as bad. It bounds the state of a VM in which some tool installs one bad version
/// after the other; the oldest are forgotten, which their counters keep out anyway once a higher one was installed.
pub const QUARANTINED: usize = 256;

/// What is installed, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct State {
    /// Grows with every change.
    pub revision: u64,
    /// By the names of the modules.
    pub modules: BTreeMap<String, Entry>,
    /// Components that must not run, by their digests.
    pub quarantine: BTreeMap<String, Quarantine>,
}

/// A module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Entry {
    /// Whether the owner wants it to run.
    pub enabled: bool,
    /// The highest counter that was ever installed. It is kept when the module is removed.
    pub counter: u64,
    /// The digest of the version that runs; none if the module is removed, or was rolled back to nothing.
    pub current: Option<String>,
    /// Its versions that are kept, the last installed one first.
    pub versions: Vec<Version>,
}

/// One version of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Version {
    /// The SHA-256 of the component's file.
    pub digest: String,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The capabilities that it imports, such as `files`; `log`, `arguments`, `reply` and `types` are none.
    pub imports: Vec<String>,
    /// The key that signed it: the name of its file and its key number, such as `vendor.pub (3A0C...)`.
    pub signer: String,
    /// Its machine code.
    pub codes: Vec<Code>,
    /// When it was installed, in seconds since 1970.
    pub installed: u64,
    /// Whether it has come through its probation.
    pub proven: bool,
}

/// The machine code of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Code {
    /// What it assumes of the processor: `x86-64`, `x86-64-v2` or `aarch64`.
    pub form: String,
    /// The engine that it was made for.
    pub engine: String,
    /// The SHA-256 of the code's file.
    pub digest: String,
}

/// Why a component must not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Quarantine {
    /// The module.
    pub module: String,
    /// Its version.
    pub version: String,
    /// What it did, in one sentence.
    pub reason: String,
    /// When, in seconds since 1970.
    pub since: u64,
}

impl Entry {
    /// The version that runs, if the owner wants it to.
    #[must_use]
    pub fn running(&self) -> Option<&Version> {
        self.version(self.current.as_deref().filter(|_| self.enabled)?)
    }

    /// The version with this digest.
    #[must_use]
    pub fn version(&self, digest: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.digest == digest)
    }

    /// Makes a version the current one, whether it is new or comes again. What was current before is kept to be rolled
    /// back to, and one more; versions that were left for an older one go first. A module that was not there, or was
    /// removed, is enabled.
    pub fn add(&mut self, version: Version) {
        self.enabled |= self.versions.is_empty();
        self.counter = self.counter.max(version.manifest.counter);
        let before = self.current.replace(version.digest.clone());
        let mut newer = std::mem::take(&mut self.versions);
        newer.retain(|kept| kept.digest != version.digest);
        let place = newer.iter().position(|kept| before.as_ref() == Some(&kept.digest));
        let older = newer.split_off(place.unwrap_or(0));
        let room = VERSIONS - 1;
        newer.truncate(room.saturating_sub(older.len()));
        self.versions.push(version);
        self.versions.extend(newer);
        self.versions.extend(older.into_iter().take(room));
    }
}

impl State {
    /// The versions that are to run: current, enabled, not in quarantine.
    pub fn running(&self) -> impl Iterator<Item = &Version> {
        let running = self.modules.values().filter_map(Entry::running);
        running.filter(|version| !self.quarantine.contains_key(&version.digest))
    }

    /// The version of a module that takes the place of the one with this digest: the last that was installed before it
    /// and is not in quarantine. None means the built-in module, or that its commands are gone.
    #[must_use]
    pub fn predecessor(&self, module: &str, digest: &str) -> Option<&Version> {
        let versions = &self.modules.get(module)?.versions;
        let place = versions.iter().position(|version| version.digest == digest)?;
        versions[place + 1..].iter().find(|version| !self.quarantine.contains_key(&version.digest))
    }

    /// Puts a version into quarantine and, if it is the current one, its predecessor in its place. `reason` is one
    /// sentence, `now` seconds since 1970. Returns whether there was such a version: the owner may have removed it
    /// meanwhile.
    pub fn roll_back(&mut self, module: &str, digest: &str, reason: &str, now: u64) -> bool {
        let Some(version) = self.modules.get(module).and_then(|entry| entry.version(digest)) else { return false };
        let quarantine = Quarantine {
            module: module.to_owned(),
            version: version.manifest.version.clone(),
            reason: reason.to_owned(),
            since: now,
        };
        let successor = self.predecessor(module, digest).map(|version| version.digest.clone());
        self.quarantine.insert(digest.to_owned(), quarantine);
        if let Some(entry) = self.modules.get_mut(module)
            && entry.current.as_deref() == Some(digest)
        {
            entry.current = successor;
        }
        self.forget_oldest();
        true
    }

    /// Lets a component out of quarantine. It does not become current by that. Returns whether it was in.
    pub fn release(&mut self, digest: &str) -> bool {
        self.quarantine.remove(digest).is_some()
    }

    /// Those that are still kept as versions stay, whatever their number: they could run.
    fn forget_oldest(&mut self) {
        while self.quarantine.len() > QUARANTINED {
            let is_kept = |digest: &str| self.modules.values().any(|entry| entry.version(digest).is_some());
            let forgettable = self.quarantine.iter().filter(|(digest, _)| !is_kept(digest));
            let Some(oldest) = forgettable.min_by_key(|(_, it)| it.since).map(|(digest, _)| digest.clone()) else {
                return;
            };
            self.quarantine.remove(&oldest);
        }
    }

    /// Whether it makes sense: digests become names of files, so they must be digests and nothing else.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, entry) in &self.modules {
            if !names::is_module(name) {
                return Err(format!("'{name}' is not a name of a module"));
            }
            entry.check(name)?;
        }
        match self.quarantine.keys().find(|it| !digest::is_one(it)) {
            Some(wrong) => Err(format!("'{wrong}' is in quarantine, but is not a SHA-256")),
            None => Ok(()),
        }
    }
}

impl Entry {
    fn check(&self, name: &str) -> Result<(), String> {
        if let Some(current) = &self.current
            && self.version(current).is_none()
        {
            return Err(format!("the current version of {name} is not one of those that are kept"));
        }
        for (place, version) in self.versions.iter().enumerate() {
            let digests = version.codes.iter().map(|code| &code.digest).chain([&version.digest]);
            if let Some(wrong) = digests.into_iter().find(|it| !digest::is_one(it)) {
                return Err(format!("'{wrong}' of {name} is not a SHA-256"));
            }
            if version.manifest.name != name {
                return Err(format!("{} stands where {name} should", version.manifest.name));
            }
            if self.versions[..place].iter().any(|other| other.digest == version.digest) {
                return Err(format!("{name} has the same version twice"));
            }
            if version.manifest.counter > self.counter {
                return Err(format!("the counter of {name} is below that of one of its versions"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
