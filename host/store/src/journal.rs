//! What was changed, and what was begun and not done.
//!
//! The journal is for people who ask what happened. Nothing is decided by it, so that a journal that is lost or damaged
//! costs nothing but this knowledge.

use crate::{StoreError, disk};
use bulkhead_trust::TrustError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process;
use std::time::SystemTime;

/// How long the journal becomes before it is put aside, in bytes. It bounds what the history takes on a disk, twice
/// this; a change has two lines of some hundred bytes, so that a thousand changes are remembered at least.
const LONGEST: u64 = 256 << 10;

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Line {
    /// When, in seconds since 1970.
    pub time: u64,
    /// What became of the change.
    pub event: Event,
    /// The revision of the state that the change makes.
    pub revision: u64,
    /// The process that made it.
    pub process: u32,
    /// The change, such as `disable com.example.backup`.
    pub what: String,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// It was begun.
    Begin,
    /// The state has it.
    Done,
    /// It was begun and has not come into the state: its process failed or ended, or the power did.
    Undone,
}

/// A store's journal. Only who holds the store's lock writes to it.
pub(crate) struct Journal {
    path: PathBuf,
}

impl Journal {
    pub(crate) fn new(root: &Path) -> Self {
        Journal { path: root.join("journal") }
    }

    /// Writes that a change from the `present` revision of the state to the `next` begins. If the last one that was
    /// begun has not been brought to an end, its end is written first: the present revision tells which one.
    pub(crate) fn begin(&self, present: u64, next: u64, what: &str) -> Result<Line, StoreError> {
        let text = match self.text() {
            Err(StoreError::Untrusted(TrustError::TooLong { .. })) => {
                disk::rename(&self.path, &self.path.with_extension("1"))?;
                String::new()
            }
            text => text?,
        };
        let mut out = String::new();
        if !text.is_empty() && !text.ends_with('\n') {
            out.push('\n');
        }
        if let Some(open) = lines(&text).last().filter(|line| line.event == Event::Begin) {
            let event = if open.revision <= present { Event::Done } else { Event::Undone };
            out += &written(&Line { event, time: now(), ..open });
        }
        let line =
            Line { time: now(), event: Event::Begin, revision: next, process: process::id(), what: what.to_owned() };
        out += &written(&line);
        if text.len() as u64 + out.len() as u64 > LONGEST {
            disk::rename(&self.path, &self.path.with_extension("1"))?;
        }
        disk::append(&self.path, out.as_bytes())?;
        Ok(line)
    }

    /// Writes what became of the change. If that cannot be written, the next change writes it.
    pub(crate) fn end(&self, line: Line, event: Event) {
        let _ = disk::append(&self.path, written(&Line { event, time: now(), ..line }).as_bytes());
    }

    /// Its lines, the oldest first; what is no line is passed over.
    pub(crate) fn read(&self) -> Result<Vec<Line>, StoreError> {
        Ok(lines(&self.text()?).collect())
    }

    fn text(&self) -> Result<String, StoreError> {
        // An end may have been written after the last beginning that had room.
        let bytes = bulkhead_trust::read_own(&self.path, 2 * LONGEST)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn lines(text: &str) -> impl Iterator<Item = Line> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok())
}

fn written(line: &Line) -> String {
    // Strings and numbers can always be written.
    serde_json::to_string(line).map(|line| line + "\n").unwrap_or_default()
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
