//! What the agent has learned of a module, and the store must know across restarts.

use super::load::in_one_sentence;
use bulkhead_store::{State, Store};
use std::thread;
use std::time::Duration;

/// Something to be put on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The module.
    pub(crate) module: String,
    /// Its version, for people.
    pub(crate) version: String,
    /// The digest of the version.
    pub(crate) digest: String,
    /// What was learned.
    pub(crate) fact: Fact,
}

/// What was learned of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// It has come through its probation.
    Proven,
    /// It must not run any more.
    Withdrawn {
        /// What it did, in one sentence.
        reason: String,
        /// When, in seconds since 1970.
        since: u64,
    },
}

impl Record {
    /// Puts it into a state; what the owner has removed meanwhile is left alone.
    pub(super) fn enter(&self, state: &mut State) {
        match &self.fact {
            Fact::Withdrawn { reason, since } => {
                state.roll_back(&self.module, &self.digest, reason, *since);
            }
            Fact::Proven => {
                let entry = state.modules.get_mut(&self.module);
                let versions = entry.map(|entry| &mut entry.versions).into_iter().flatten();
                versions.filter(|version| version.digest == self.digest).for_each(|version| version.proven = true);
            }
        }
    }

    fn put(&self, store: &Store) -> Result<(), String> {
        for _ in 0..STEPS {
            let updated = store.try_update(&self.title(), |state| {
                self.enter(state);
                Ok(())
            });
            match updated {
                Ok(Some(())) => return Ok(()),
                Ok(None) => thread::sleep(STEP),
                Err(error) => return Err(in_one_sentence(error)),
            }
        }
        Err(format!("another process has been changing {} for long", store.root().display()))
    }

    fn title(&self) -> String {
        let (Record { module, version, .. }, fact) = (self, &self.fact);
        match fact {
            Fact::Proven => format!("prove {module} {version}"),
            Fact::Withdrawn { .. } => format!("withdraw {module} {version}"),
        }
    }
}

/// How long to wait for another process that changes the store, in steps of [`STEP`]. It bounds one that was stopped in the
/// middle of a change: the store can be read again meanwhile. A change takes some milliseconds.
const STEPS: u32 = 20;
const STEP: Duration = Duration::from_millis(50);

/// Puts all of them on record, or those before the first that cannot be: how many, and why no more, in one sentence.
pub(super) fn put_on_record(store: &Store, records: &[Record]) -> (usize, Result<(), String>) {
    for (done, record) in records.iter().enumerate() {
        if let Err(why) = record.put(store) {
            return (done, Err(why));
        }
    }
    (records.len(), Ok(()))
}
