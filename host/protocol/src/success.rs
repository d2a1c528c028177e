//! The reply to a request that succeeded, while its return comes in.

use crate::canonical::Id;
use crate::checker::{NotOneValue, ReturnChecker};
use crate::reply::{Part, Reply};
use base64_simd::STANDARD;
use std::collections::VecDeque;

/// What stands before the return. The [`SENTINEL`](crate::SENTINEL) always does, and is left out when the reply is sent if nobody
/// asked for it: nothing has to be moved to make room for it.
const BEGIN: &[u8] = b"\xFF{\"return\": ";

/// Fewer bytes than this become base64 at once: a part of its own costs some memory too.
const SMALL: usize = 8 * 1024;

/// A reply whose return comes piece by piece, each checked as it comes: in the end it is one JSON value, in one line of ASCII, or
/// there is no reply.
#[derive(Debug, Default)]
pub struct Success {
    parts: VecDeque<Part>,
    /// Bytes of the return so far.
    length: usize,
    checker: ReturnChecker,
}

impl Success {
    /// One whose objects must not have a key twice.
    pub fn with_unique_keys() -> Self {
        Success { checker: ReturnChecker::with_unique_keys(), ..Self::default() }
    }

    /// Bytes of the return so far, as they will be sent.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The next piece of the return's text.
    pub fn append(&mut self, text: &[u8]) -> Result<(), NotOneValue> {
        self.checker.feed(text)?;
        self.length += text.len();
        self.text().extend_from_slice(text);
        Ok(())
    }

    /// The base64 of `bytes` (RFC 4648, section 4, padded), inside a string whose quotation marks are not part of it.
    pub fn append_base64(&mut self, bytes: Vec<u8>) -> Result<(), NotOneValue> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.checker.feed_base64()?;
        self.length += STANDARD.encoded_length(bytes.len());
        if bytes.len() < SMALL {
            STANDARD.encode_append(&bytes, self.text());
        } else {
            self.parts.push_back(Part::Base64(bytes));
        }
        Ok(())
    }

    /// The whole reply, if what came is one value: with the request's `id`, if it had one, and behind the
    /// [`SENTINEL`](crate::SENTINEL) if that was asked for.
    pub fn finish(mut self, id: Option<&Id>, sentinel: bool) -> Result<Reply, NotOneValue> {
        self.checker.finish()?;
        let text = self.text();
        if let Some(id) = id {
            text.extend_from_slice(b", \"id\": ");
            text.extend_from_slice(id.as_str().as_bytes());
        }
        text.extend_from_slice(b"}\n");
        Ok(Reply::new(self.parts, usize::from(!sentinel)))
    }

    /// Where text is added.
    fn text(&mut self) -> &mut Vec<u8> {
        if !matches!(self.parts.back(), Some(Part::Text(_))) {
            let begin = if self.parts.is_empty() { BEGIN } else { b"" };
            self.parts.push_back(Part::Text(begin.to_vec()));
        }
        match self.parts.back_mut() {
            Some(Part::Text(text)) => text,
            _ => unreachable!("it was put there"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(reply: Result<Reply, NotOneValue>) -> Vec<u8> {
        reply.unwrap().into_bytes()
    }

    #[test]
    fn a_return_in_pieces() {
        let mut empty = Success::default();
        empty.append(b"{}").unwrap();
        assert_eq!(text(empty.finish(None, false)), b"{\"return\": {}}\n");
        let mut number = Success::default();
        number.append(b"1").unwrap();
        number.append(b"2").unwrap();
        assert_eq!(number.length(), 2);
        assert_eq!(text(number.finish(Some(&Id::new("\"q\"")), true)), b"\xFF{\"return\": 12, \"id\": \"q\"}\n");
    }

    #[test]
    fn base64_of_any_length() {
        for length in [0, 1, 2, 3, SMALL - 1, SMALL, 3 * SMALL] {
            let bytes: Vec<u8> = (0..=255).cycle().take(length).collect();
            let mut reply = Success::default();
            reply.append(b"\"").unwrap();
            reply.append_base64(bytes.clone()).unwrap();
            reply.append(b"\"").unwrap();
            assert_eq!(reply.length(), 2 + length.div_ceil(3) * 4);
            let expected = format!("{{\"return\": \"{}\"}}\n", STANDARD.encode_to_string(&bytes));
            assert_eq!(text(reply.finish(None, false)), expected.as_bytes(), "{length} bytes");
        }
    }

    #[test]
    fn base64_stands_in_strings_only() {
        for before in ["", "1", "[", "\"a\"", "\"a\\", "\"\\u", "\"\\u00", "{", "tr"] {
            let mut reply = Success::default();
            reply.append(before.as_bytes()).unwrap();
            assert_eq!(reply.append_base64(vec![0; 3]), Err(NotOneValue::Malformed), "{before}");
            assert!(reply.append(b"\"").is_err(), "an error stays: {before}");
        }
        // Half a surrogate pair wants its other half.
        let mut half = Success::default();
        half.append(b"\"\\ud83d").unwrap();
        half.append_base64(vec![0; 3]).unwrap();
        assert_eq!(half.append(b"\""), Err(NotOneValue::Malformed));
    }

    #[test]
    fn half_a_return_is_none() {
        let mut half = Success::default();
        half.append(b"[").unwrap();
        assert_eq!(half.finish(None, false).unwrap_err(), NotOneValue::Unfinished);
    }
}
