//! Bytes that come and go in any amount.

use bulkhead_os::memory;
use std::collections::VecDeque;

/// How long a piece is, in bytes, all but the last one. Long enough for one reading of a pipe.
pub(super) const PIECE: usize = 64 * 1024;

/// From how many bytes on their memory is given back to the system, for that takes time: much more than most programs print
/// or read, little for a machine.
const LARGE: usize = 1024 * 1024;

/// A run of bytes that grows at its end, and shrinks at its front, without being moved in memory: 16 MiB in one piece would
/// be copied each time they outgrow their place.
#[derive(Debug, Default)]
pub struct Pieces {
    pieces: VecDeque<Vec<u8>>,
    /// How much of the first piece is gone already.
    taken: usize,
    len: usize,
    /// The most that there ever was.
    most: usize,
}

impl Drop for Pieces {
    fn drop(&mut self) {
        self.pieces.clear();
        if self.most >= LARGE {
            memory::give_back();
        }
    }
}

impl Pieces {
    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds to the end.
    pub fn append(&mut self, mut bytes: &[u8]) {
        self.len += bytes.len();
        self.most = self.most.max(self.len);
        while !bytes.is_empty() {
            match self.pieces.back_mut().filter(|last| last.len() < PIECE) {
                Some(last) => {
                    let (fits, rest) = bytes.split_at(bytes.len().min(PIECE - last.len()));
                    last.extend_from_slice(fits);
                    bytes = rest;
                }
                None => self.pieces.push_back(Vec::new()),
            }
        }
    }

    /// Bytes `offset ..< offset + length`, fewer at the end.
    pub fn read(&self, offset: usize, length: usize) -> Vec<u8> {
        let mut found = Vec::with_capacity(length.min(self.len.saturating_sub(offset)));
        let begin = self.taken.saturating_add(offset);
        let mut within = begin % PIECE;
        for piece in self.pieces.iter().skip(begin / PIECE) {
            let from = within.min(piece.len());
            let wanted = (length - found.len()).min(piece.len() - from);
            found.extend_from_slice(&piece[from..from + wanted]);
            within = 0;
            if found.len() == length {
                break;
            }
        }
        found
    }

    /// The first bytes, as many as stand together; none only if there are none at all.
    pub fn front(&self) -> &[u8] {
        self.pieces.front().map_or(&[], |first| &first[self.taken..])
    }

    /// Takes `count` bytes from the front, at most those of [`Pieces::front`].
    pub fn advance(&mut self, count: usize) {
        self.taken += count;
        self.len -= count;
        if self.pieces.front().is_some_and(|first| first.len() <= self.taken) {
            self.pieces.pop_front();
            self.taken = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(count: usize) -> Vec<u8> {
        (0..count).map(|index| (index % 251) as u8).collect()
    }

    #[test]
    fn what_was_appended_is_read_wherever_it_was_cut() {
        let all = numbered(3 * PIECE + 100);
        let mut pieces = Pieces::default();
        all.chunks(1000).for_each(|chunk| pieces.append(chunk));
        assert_eq!(pieces.len(), all.len());
        for (offset, length) in [(0, 10), (PIECE - 5, 10), (PIECE, PIECE), (100, 2 * PIECE), (0, all.len())] {
            assert_eq!(pieces.read(offset, length), all[offset..offset + length], "{offset} {length}");
        }
        assert_eq!(pieces.read(all.len() - 3, 10), all[all.len() - 3..]);
        assert!(pieces.read(all.len(), 10).is_empty() && pieces.read(usize::MAX, 10).is_empty());
        assert!(pieces.read(5, 0).is_empty());
    }

    #[test]
    fn what_is_taken_at_the_front_is_gone() {
        let all = numbered(2 * PIECE + 7);
        let mut pieces = Pieces::default();
        pieces.append(&all);
        let mut taken = Vec::new();
        while !pieces.is_empty() {
            let count = pieces.front().len().min(10_000);
            taken.extend_from_slice(&pieces.front()[..count]);
            pieces.advance(count);
            assert_eq!(pieces.read(0, 20), all[taken.len()..all.len().min(taken.len() + 20)]);
        }
        assert_eq!(taken, all);
        assert!(pieces.is_empty() && pieces.front().is_empty());
    }
}
