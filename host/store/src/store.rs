//! Where installed modules are kept.
//!
//! ```text
//! state.json              what is installed; replaced by rename, which is the moment of every change
//! lock                    held while the state is changed
//! journal                 one JSON line for each change that was begun, and for each that was done
//! objects/DIGEST.wasm     components, and beside them DIGEST.minisig
//! code/DIGEST.cwasm       machine code
//! staging/                drafts of files, before they are renamed to their places
//! ```
//!
//! All files but these few are named by digests, so no name of a vendor's becomes one. Whoever changes something holds
//! the lock, so what lies in `staging` while nobody does was left by a process that ended.

use crate::journal::{Event, Journal, Line};
use crate::lock::{self, Lock};
use crate::state::{Code, State, Version};
use crate::{digest, disk, sweep};
use bulkhead_trust::TrustError;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// How long a component may be, in bytes. It bounds what is read into memory before a signature is looked at, and what a
/// store keeps; the largest built-in module has 300 KiB, and languages that bring a runtime need some mebibytes.
pub const COMPONENT: u64 = 8 << 20;

/// How long machine code may be, in bytes. It bounds what a file that was changed costs before its digest tells; machine
/// code is three times as long as the component it is made from, so there is room for the longest.
pub const CODE: u64 = 64 << 20;

/// How long the state may be, in bytes. It bounds what every start of the agent reads; a version has its manifest in
/// it, of some kilobytes, so there is room for hundreds of modules, or for twenty with the longest manifests.
const STATE: u64 = 16 << 20;

/// How long a signature may be, in bytes. It bounds what is read of a file that is none; minisign's have four lines
/// with about 300 bytes, and a comment in them can be up to 8 KiB.
pub const SIGNATURE: u64 = 16 << 10;

/// A store.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// Why something could not be done with the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It, or something above it, can be written by others.
    #[error(transparent)]
    Untrusted(#[from] TrustError),
    /// Something cannot be read or written.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The state is no state.
    #[error(
        "{} is broken: {why}; bring it back from a backup, or remove it and install the modules again",
        path.display()
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A file of the store is not what the state says it is.
    #[error("{} was changed since it was installed: its SHA-256 is not the one on record; install the module again", .0.display())]
    Changed(PathBuf),
    /// Another process is at it.
    #[error("{holder} has held {} for too long: wait until it has ended, or end it, and try again", path.display())]
    Busy {
        /// The lock.
        path: PathBuf,
        /// Who holds it.
        holder: String,
    },
    /// What was asked for cannot be.
    #[error("{0}")]
    Refused(String),
}

impl Store {
    /// The store in this folder, which need not be there yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Store { root: std::path::absolute(&root).unwrap_or(root) }
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is installed; nothing if there is no store. It waits for nobody: a change is seen when it is made, and not
    /// before.
    pub fn read(&self) -> Result<State, StoreError> {
        if bulkhead_trust::is_own_folder(&self.root)? { self.state() } else { Ok(State::default()) }
    }

    /// Changes what is installed, under the store's lock. If `change` fails, or changes nothing, nothing is written.
    ///
    /// `what` says it in the journal, such as `disable com.example.backup`.
    pub fn update<T>(
        &self,
        what: &str,
        change: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let lock = self.lock(what)?;
        self.change(&lock, what, &[], change)
    }

    /// As [`Store::update`], but does not wait: if another process is changing something, nothing is done and None is
    /// returned. It writes to a disk, so it is not for an agent that has frozen one.
    pub fn try_update<T>(
        &self,
        what: &str,
        change: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        disk::make_folder(&self.root)?;
        let Some(lock) = Lock::attempt(&self.root.join("lock"), what)? else { return Ok(None) };
        self.change(&lock, what, &[], change).map(Some)
    }

    /// Puts a component, its signature and its machine code (each with its `Code`) into the store, and then makes
    /// `commit` of the state. A crash before the state is replaced leaves files that [`Store::collect`] finds; a
    /// failure leaves none.
    ///
    /// `commit` is asked before anything is written, so that what it refuses costs nothing.
    pub fn install<T>(
        &self,
        what: &str,
        component: &[u8],
        signature: &str,
        codes: &[(Code, Vec<u8>)],
        commit: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let name = digest::of(component);
        within("the component", component, COMPONENT)?;
        within("the signature", signature.as_bytes(), SIGNATURE)?;
        let mut files: Vec<(PathBuf, &[u8])> =
            vec![(self.object(&name, "wasm"), component), (self.object(&name, "minisig"), signature.as_bytes())];
        for (code, bytes) in codes {
            within("the machine code", bytes, CODE)?;
            if digest::of(bytes) != code.digest {
                let why = format!("the machine code for {} is not what it is said to be", code.form);
                return Err(StoreError::Refused(why));
            }
            files.push((self.code_path(code), bytes));
        }
        let lock = self.lock(what)?;
        self.change(&lock, what, &files, commit)
    }

    /// The bytes of machine code, if they are those on record.
    pub fn code(&self, code: &Code) -> Result<Vec<u8>, StoreError> {
        self.recorded(&self.code_path(code), CODE, &code.digest)
    }

    /// The component and its signature, if the component is the one on record. The signature is as it was when it was
    /// checked, or as somebody has changed it since: who relies on it checks it again.
    pub fn component(&self, version: &Version) -> Result<(Vec<u8>, String), StoreError> {
        let component = self.recorded(&self.object(&version.digest, "wasm"), COMPONENT, &version.digest)?;
        let path = self.object(&version.digest, "minisig");
        let signature = self.own(&path, SIGNATURE)?.ok_or_else(|| missing(&path))?;
        Ok((component, String::from_utf8(signature).map_err(|_| TrustError::NotText { path })?))
    }

    /// Removes what no version of the state needs. Returns how many files and bytes.
    pub fn collect(&self) -> Result<(usize, u64), StoreError> {
        if !bulkhead_trust::is_own_folder(&self.root)? {
            return Ok((0, 0));
        }
        let _lock = self.lock("collect")?;
        sweep::sweep(&self.root, &self.state()?)
    }

    /// What was changed of late, the oldest change first.
    pub fn journal(&self) -> Result<Vec<Line>, StoreError> {
        if bulkhead_trust::is_own_folder(&self.root)? { Journal::new(&self.root).read() } else { Ok(Vec::new()) }
    }

    fn lock(&self, what: &str) -> Result<Lock, StoreError> {
        disk::make_folder(&self.root)?;
        Lock::wait(&self.root.join("lock"), what, lock::PATIENCE)
    }

    /// Under the lock: files first, then the state that names them.
    fn change<T>(
        &self,
        _lock: &Lock,
        what: &str,
        files: &[(PathBuf, &[u8])],
        change: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let before = self.state()?;
        let mut after = before.clone();
        let outcome = change(&mut after)?;
        if after == before && files.is_empty() {
            return Ok(outcome);
        }
        after.revision = before.revision.saturating_add(1);
        after.check().map_err(|why| StoreError::Refused(format!("this would break the store: {why}")))?;
        let text = serde_json::to_vec_pretty(&after).map_err(|error| StoreError::Refused(error.to_string()))?;
        if text.len() as u64 > STATE {
            return Err(StoreError::Refused("there is no room in the store's state: remove a module first".into()));
        }
        let journal = Journal::new(&self.root);
        let line = journal.begin(before.revision, after.revision, what)?;
        match self.write(files, &text) {
            Ok(()) => journal.end(line, Event::Done),
            Err(error) => {
                // Whether the state was replaced just before something failed is for the state to say.
                let is_done = self.state().is_ok_and(|state| state.revision == after.revision);
                journal.end(line, if is_done { Event::Done } else { Event::Undone });
                if let Ok(state) = self.state() {
                    // On a full disk the files of a module that is not installed would keep others out.
                    let _ = sweep::sweep(&self.root, &state);
                }
                return Err(error);
            }
        }
        Ok(outcome)
    }

    fn write(&self, files: &[(PathBuf, &[u8])], state: &[u8]) -> Result<(), StoreError> {
        let staging = self.root.join("staging");
        disk::make_folder(&staging)?;
        for (place, bytes) in files {
            disk::make_folder(place.parent().unwrap_or(&self.root))?;
            disk::put(&staging.join(place.file_name().unwrap_or_default()), place, bytes)?;
        }
        disk::put(&staging.join("state.json"), &self.root.join("state.json"), state)
    }

    fn state(&self) -> Result<State, StoreError> {
        let path = self.root.join("state.json");
        let Some(text) = bulkhead_trust::read_own(&path, STATE)? else { return Ok(State::default()) };
        let state: Result<State, String> = serde_json::from_slice(&text).map_err(|error| error.to_string());
        state.and_then(|state| state.check().map(|()| state)).map_err(|why| StoreError::Broken { path, why })
    }

    fn object(&self, digest: &str, extension: &str) -> PathBuf {
        self.root.join("objects").join(format!("{digest}.{extension}"))
    }

    fn code_path(&self, code: &Code) -> PathBuf {
        self.root.join("code").join(format!("{}.cwasm", code.digest))
    }

    /// The contents of a file with this digest.
    fn recorded(&self, path: &Path, limit: u64, digest: &str) -> Result<Vec<u8>, StoreError> {
        let bytes = self.own(path, limit)?.ok_or_else(|| missing(path))?;
        if digest::of(&bytes) == digest { Ok(bytes) } else { Err(StoreError::Changed(path.to_owned())) }
    }

    fn own(&self, path: &Path, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let folder = path.parent().unwrap_or(&self.root);
        let is_there = bulkhead_trust::is_own_folder(&self.root)? && bulkhead_trust::is_own_folder(folder)?;
        if is_there { Ok(bulkhead_trust::read_own(path, limit)?) } else { Ok(None) }
    }
}

/// What is longer than what is read again is not written.
fn within(what: &str, bytes: &[u8], limit: u64) -> Result<(), StoreError> {
    if bytes.len() as u64 <= limit {
        return Ok(());
    }
    Err(StoreError::Refused(format!("{what} has {} bytes, and can have {limit}", bytes.len())))
}

fn missing(path: &Path) -> StoreError {
    StoreError::Io { what: "read", path: path.to_owned(), source: nix::errno::Errno::ENOENT.into() }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod processes;
#[cfg(test)]
pub(crate) mod tests;
