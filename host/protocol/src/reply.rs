//! Replies: one line each, in ASCII, the members in the order in which qemu-ga happens to write them.

use crate::canonical::Id;
use crate::text::push_escaped;
use base64_simd::STANDARD;
use std::collections::VecDeque;

/// The byte that a client may ask for before a reply, to find where fresh bytes begin: it is in no JSON text.
pub const SENTINEL: u8 = 0xFF;

/// The kinds of error that QMP still tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Everything but the following.
    GenericError,
    /// The command is not known, or is not allowed (now).
    CommandNotFound,
}

impl ErrorClass {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GenericError => "GenericError",
            Self::CommandNotFound => "CommandNotFound",
        }
    }
}

/// A whole reply, to be sent piece by piece.
#[derive(Debug)]
pub struct Reply {
    parts: VecDeque<Part>,
    /// How many bytes of the first part have been taken.
    taken: usize,
}

/// Some of a reply.
#[derive(Debug)]
pub(crate) enum Part {
    /// As it is sent.
    Text(Vec<u8>),
    /// Bytes whose base64 is sent. Kept as they are they need a quarter less memory, and their base64 is written, where it
    /// is read next, into a buffer that is in the processor's cache.
    Base64(Vec<u8>),
}

impl Reply {
    pub(crate) fn new(parts: VecDeque<Part>, skipped: usize) -> Self {
        Reply { parts, taken: skipped }
    }

    /// A whole error reply. `desc` may be any text; it is escaped.
    pub fn error(class: ErrorClass, desc: &str, id: Option<&Id>) -> Self {
        let mut text = String::with_capacity(64 + desc.len());
        text.push('{');
        if let Some(id) = id {
            text.push_str("\"id\": ");
            text.push_str(id.as_str());
            text.push_str(", ");
        }
        text.push_str("\"error\": {\"class\": \"");
        text.push_str(class.as_str());
        text.push_str("\", \"desc\": \"");
        push_escaped(&mut text, desc);
        text.push_str("\"}}\n");
        Reply::new(VecDeque::from([Part::Text(text.into_bytes())]), 0)
    }

    /// How many bytes are left to send.
    pub fn len(&self) -> usize {
        let all: usize = self.parts.iter().map(Part::len).sum();
        let taken = match self.parts.front() {
            Some(Part::Base64(_)) => STANDARD.encoded_length(self.taken),
            _ => self.taken,
        };
        all - taken
    }

    /// Whether all of it was taken.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Moves the next bytes to the end of `buffer`: all that are left, or so many that it holds at least `full` of them and
    /// three more at the most.
    pub fn take(&mut self, buffer: &mut Vec<u8>, full: usize) {
        while buffer.len() < full
            && let Some(part) = self.parts.front()
        {
            let room = full - buffer.len();
            let left = part.bytes().get(self.taken..).unwrap_or_default();
            let count = left.len().min(match part {
                Part::Text(_) => room,
                // Whole groups, so that only a part's own end is padded.
                Part::Base64(_) => room.div_ceil(4) * 3,
            });
            match part {
                Part::Text(_) => buffer.extend_from_slice(&left[..count]),
                Part::Base64(_) => STANDARD.encode_append(&left[..count], buffer),
            }
            self.taken += count;
            if count == left.len() {
                self.parts.pop_front();
                self.taken = 0;
            }
        }
    }

    /// What is left of it, in one piece.
    pub fn into_bytes(mut self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        self.take(&mut bytes, usize::MAX);
        bytes
    }
}

impl Part {
    fn bytes(&self) -> &[u8] {
        match self {
            Part::Text(bytes) | Part::Base64(bytes) => bytes,
        }
    }

    fn len(&self) -> usize {
        match self {
            Part::Text(text) => text.len(),
            Part::Base64(bytes) => STANDARD.encoded_length(bytes.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors() {
        let not_found = "The command guest-é\0\n has not been found";
        for (class, desc, id, expected) in [
            (
                ErrorClass::CommandNotFound,
                not_found,
                None,
                r#"{"error": {"class": "CommandNotFound", "desc": "The command guest-\u00E9\u0000\n has not been found"}}"#,
            ),
            (
                ErrorClass::GenericError,
                "Parameter 'z' is unexpected",
                Some(&Id::new("9")),
                r#"{"id": 9, "error": {"class": "GenericError", "desc": "Parameter 'z' is unexpected"}}"#,
            ),
        ] {
            let reply = Reply::error(class, desc, id).into_bytes();
            assert_eq!(String::from_utf8(reply).unwrap(), format!("{expected}\n"));
        }
    }

    #[test]
    fn pieces_of_any_size_are_the_same_reply() {
        let parts = || {
            let text = |text: &str| Part::Text(text.as_bytes().to_vec());
            let bytes = |count: u8| Part::Base64((0..count).collect());
            Reply::new(VecDeque::from([text("-{\""), bytes(9), bytes(100), text("\"}\n")]), 1)
        };
        let whole = parts().into_bytes();
        assert_eq!(whole[..14], *b"{\"AAECAwQFBgcI");
        assert!(whole.ends_with(b"==\"}\n"));
        for full in 1..=whole.len() {
            let (mut reply, mut all) = (parts(), Vec::new());
            while !reply.is_empty() {
                assert_eq!(reply.len(), whole.len() - all.len(), "{full} at a time");
                let mut piece = Vec::new();
                reply.take(&mut piece, full);
                assert!(piece.len() < full + 4 && (piece.len() >= full || reply.is_empty()), "{full} at a time");
                all.extend(piece);
            }
            assert_eq!(all, whole, "{full} at a time");
        }
    }
}
