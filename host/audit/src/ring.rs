//! Where lines wait while file systems are frozen.

use crate::Entry;

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
    /// How many were lost, after those that were kept.
    pub(crate) lost: u64,
    bytes: usize,
}

impl Ring {
    /// Keeps one, or counts it.
    pub(crate) fn keep(&mut self, entry: Entry) {
        let size = entry.members.as_str().len() + entry.message.len();
        // Once one is lost all that follow are, or the gap could not be told in one line.
        if self.lost > 0 || self.entries.len() == LINES || self.bytes + size > BYTES {
            self.lost = self.lost.saturating_add(1);
        } else {
            self.bytes += size;
            self.entries.push(entry);
        }
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
        (0..LINES + 3).for_each(|_| ring.keep(entry(1)));
        assert_eq!((ring.entries.len(), ring.lost), (LINES, 3));
    }

    #[test]
    fn bytes_are_bounded_and_the_gap_is_one() {
        let mut ring = Ring::default();
        ring.keep(entry(BYTES - 10));
        ring.keep(entry(11));
        ring.keep(entry(1));
        assert_eq!((ring.entries.len(), ring.lost), (1, 2));
    }
}
