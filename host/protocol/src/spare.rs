//! Memory of a large message, for the next one.

use std::sync::Arc;

/// Bytes of text from which on a message is large. Memory of a few times as many the allocator gives back to the system as soon as it is
/// free, and each page of it that is got again is a fault: they were half of what receiving 22 MB took.
pub(crate) const LARGE: usize = 1 << 20;

/// Of more text nothing is kept. This much is a guest-file-write of 16 MiB, and some room. It bounds what a client makes the agent hold that
/// sends one large request, and then small ones without a pause.
const MOST: usize = 24 << 20;

/// The last large message's text: when the request that it came in is gone, its memory takes the next one, for whoever writes a
/// large file does so in many requests.
#[derive(Debug, Default)]
pub(crate) struct Spare(Option<Arc<Vec<u8>>>);

impl Spare {
    /// `text` is that of a message, which may be large.
    pub(crate) fn keep(&mut self, text: &Arc<Vec<u8>>) {
        if (LARGE..=MOST).contains(&text.len()) {
            self.0 = Some(Arc::clone(text));
        }
    }

    /// The memory, empty; none if there is none, or the request is still there.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        let mut text = Arc::into_inner(self.0.take()?)?;
        text.clear();
        Some(text)
    }

    /// Gives it back.
    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }

    /// Bytes set aside, whether the request is still there or not.
    pub(crate) fn size(&self) -> usize {
        self.0.as_ref().map_or(0, |text| text.capacity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Framer, Limits, Message, Request};

    fn write(length: usize) -> Vec<u8> {
        format!(r#"{{"execute":"x","arguments":{{"b":"{}"}}}}"#, "a".repeat(length)).into_bytes()
    }

    fn next(framer: &mut Framer, sent: &[u8]) -> Request {
        let mut requests = Vec::new();
        for piece in sent.chunks(32 << 10) {
            framer.push(piece);
            requests.extend(framer.next());
            assert_eq!(framer.next(), None);
        }
        match requests.pop() {
            Some(Message::Request(request)) if requests.is_empty() => request,
            other => panic!("{other:?} and {} more", requests.len()),
        }
    }

    #[test]
    fn the_next_large_request_gets_the_memory_of_the_last() {
        let mut framer = Framer::new(Limits::default());
        let first = next(&mut framer, &write(LARGE + 1));
        let place = first.arguments().as_ptr();
        drop(first);
        let second = next(&mut framer, &write(LARGE + 2));
        assert_eq!(second.arguments().as_ptr(), place);
        assert_eq!(second.arguments(), format!(r#"{{"b":"{}"}}"#, "a".repeat(LARGE + 2)));
    }

    #[test]
    fn a_request_that_is_still_there_keeps_its_memory() {
        let mut framer = Framer::new(Limits::default());
        let first = next(&mut framer, &write(LARGE));
        let second = next(&mut framer, &write(LARGE + 9));
        assert_ne!(first.arguments().as_ptr(), second.arguments().as_ptr());
        assert_eq!(first.arguments().len() + 9, second.arguments().len());
    }

    #[test]
    fn nothing_is_kept_of_what_is_small_or_very_large() {
        let mut framer = Framer::new(Limits::default());
        for (length, kept) in [(LARGE - 100, false), (LARGE, true), (10, true), (MOST - 100, true), (MOST, false)] {
            drop(next(&mut framer, &write(length)));
            assert_eq!(framer.keeps_memory(), kept, "{length}");
        }
        drop(next(&mut framer, &write(LARGE)));
        framer.give_back();
        assert!(!framer.keeps_memory() && framer.buffered() < LARGE);
    }
}
