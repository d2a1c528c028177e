//! Where lines wait while file systems are frozen.

use crate::Entry;
use crate::budget::{Kind, Missing};

/// Lines that wait. A freeze lasts seconds to minutes, and only six commands run meanwhile, so an honest one has some tens;
/// a client that floods the agent loses the rest, which is counted and goes on record.
const LINES: usize = 1024;

/// Bytes of all lines that wait together. It bounds the agent's memory however long single lines are; an honest line has
/// half a kilobyte, so that it is the number of lines that ends an honest freeze's record first.
const BYTES: usize = 1024 * 1024;

/// What was kept. The first lines stay and the last are lost, not the other way round: how the freeze began must not be
/// something that a flood can push out, and how it ended is written after it.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    pub(crate) entries: Vec<Entry>,
    /// What is missing, after those that were kept or between them.
    pub(crate) missing: Missing,
    is_full: bool,
    bytes: usize,
}

impl Ring {
    /// Keeps one, or counts it. Tells whether it is kept.
    pub(crate) fn keep(&mut self, entry: Entry) -> bool {
        let size = entry.members.as_str().len() + entry.message.len();
        // Once one is lost all that follow are, or the gap could not be told in one line.
        self.is_full |= self.entries.len() == LINES || self.bytes + size > BYTES;
        if self.is_full {
            self.missing.lost(1);
        } else {
            self.bytes += size;
            self.entries.push(entry);
        }
        !self.is_full
    }

    /// One of this kind came too fast.
    pub(crate) fn leave_out(&mut self, kind: Kind) {
        self.missing.left_out(kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(length: usize) -> Entry {
        Entry { message: "x".repeat(length), ..Entry::default() }
    }

    #[test]
    fn lines_are_bounded() {
        let mut ring = Ring::default();
        let kept = (0..LINES + 3).filter(|_| ring.keep(entry(1))).count();
        assert_eq!((kept, ring.entries.len(), ring.missing.lines), (LINES, LINES, 3));
    }

    #[test]
    fn bytes_are_bounded_and_the_gap_is_one() {
        let mut ring = Ring::default();
        ring.keep(entry(BYTES - 10));
        ring.keep(entry(11));
        ring.keep(entry(1));
        assert_eq!((ring.entries.len(), ring.missing.lines), (1, 2));
    }
}
