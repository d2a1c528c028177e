//! A string that may be too long to hold.

use crate::bindings::bulkhead::agent::arguments as host;
use crate::bindings::bulkhead::agent::types::LongString;
use crate::{CommandError, Path};

/// How much of a long string is read at once, in bytes. Small enough for a processor's first caches, so that the
/// text is still there when it is used; the host's own bound is 64 KiB.
const PIECE: u32 = 32 * 1024;

/// How many bytes a piece of base64 stands for at the most.
pub const DECODED_PIECE: usize = PIECE as usize / 4 * 3;

/// The longest string that a command may ask for whole, in bytes. It bounds the compartment's memory; nothing but
/// file contents is anywhere near as long.
const WHOLE: u64 = 1024 * 1024;

/// A member marked `streamed` in its schema. It is read in pieces, as often as wanted, so the compartment's memory
/// does not grow with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Streamed(Text);

#[derive(Clone, Debug, PartialEq)]
enum Text {
    Inline(String),
    Remote(LongString),
}

impl Streamed {
    /// A string that came whole.
    pub fn inline(text: String) -> Self {
        Streamed(Text::Inline(text))
    }

    /// How many bytes its pieces have altogether, at the most: escapes are longer than what they stand for.
    pub fn length(&self) -> u64 {
        match &self.0 {
            Text::Inline(text) => text.len() as u64,
            Text::Remote(string) => string.length,
        }
    }

    /// How many bytes it stands for, if the host knows it to be base64 and nothing else: whole groups, padded at the end or not, without line
    /// ends. It tells so of long strings only.
    pub fn base64_length(&self) -> Option<u64> {
        match &self.0 {
            Text::Inline(_) => None,
            Text::Remote(string) => host::base64_length(string.offset),
        }
    }

    /// Shows the string's bytes to `look`, piece by piece and without escapes, until the end or its first error.
    pub fn pieces<E>(&self, mut look: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let LongString { mut offset, length: mut left, escaped, .. } = match &self.0 {
            Text::Inline(text) => return look(text.as_bytes()),
            Text::Remote(string) => string.clone(),
        };
        let mut plain = Vec::new();
        while left > 0 {
            let wanted = u32::try_from(left).unwrap_or(PIECE).min(PIECE);
            let piece = host::read(offset, wanted);
            let used = if escaped {
                plain.clear();
                let used = unescape(&piece, &mut plain);
                look(&plain)?;
                used
            } else {
                look(&piece)?;
                piece.len()
            };
            // An escape cut by the piece's end is read again with the next one. No progress: the text ended early.
            let used = used as u64;
            if used == 0 {
                break;
            }
            offset += used;
            left -= used;
        }
        Ok(())
    }

    /// The whole string, if it is at most 1 MiB long.
    pub(crate) fn whole(self, at: &Path) -> Result<String, CommandError> {
        match &self.0 {
            Text::Inline(text) => return Ok(text.clone()),
            Text::Remote(string) if string.length > WHOLE => {
                return Err(CommandError::generic(format!("Parameter '{at}' is longer than {WHOLE} bytes")));
            }
            Text::Remote(_) => {}
        }
        let mut bytes = Vec::new();
        self.pieces(|piece| {
            bytes.extend_from_slice(piece);
            Ok::<(), CommandError>(())
        })?;
        String::from_utf8(bytes).map_err(|_| at.bad_type("string"))
    }
}

impl From<LongString> for Streamed {
    fn from(string: LongString) -> Self {
        Streamed(Text::Remote(string))
    }
}

/// Appends the unescaped form of `text` to `plain` and tells how many bytes it used: all but an escape that
/// `text`'s end cuts off. The host has checked that escapes are well formed.
fn unescape(text: &[u8], plain: &mut Vec<u8>) -> usize {
    let mut at = 0;
    while at < text.len() {
        let run = text[at..].iter().position(|byte| *byte == b'\\').unwrap_or(text.len() - at);
        plain.extend_from_slice(&text[at..at + run]);
        at += run;
        let Some((character, length)) = escape(&text[at..]) else { break };
        plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        at += length;
    }
    at
}

/// The character that the escape at the start of `text` stands for, and how long the escape is.
fn escape(text: &[u8]) -> Option<(char, usize)> {
    let simple = match text.get(1)? {
        b'b' => '\u{8}',
        b'f' => '\u{C}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(text),
        other => char::from(*other),
    };
    Some((simple, 2))
}

fn unicode_escape(text: &[u8]) -> Option<(char, usize)> {
    let unit = |from: usize| {
        let digits = std::str::from_utf8(text.get(from..from + 4)?).ok()?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(2)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Some((char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER), 6));
    }
    let pair = [first, unit(8)?];
    let character = char::decode_utf16(pair).next()?.unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((character, 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescaped(text: &str) -> (String, usize) {
        let mut plain = Vec::new();
        let used = unescape(text.as_bytes(), &mut plain);
        (String::from_utf8(plain).unwrap(), used)
    }

    #[test]
    fn escapes_become_characters() {
        assert_eq!(unescaped(r#"a\nb\/c\"\\"#), ("a\nb/c\"\\".to_owned(), 11));
        assert_eq!(unescaped(r"\u00e9\ud83d\ude00!"), ("é\u{1F600}!".to_owned(), 19));
    }

    #[test]
    fn an_escape_that_is_cut_is_left_for_later() {
        assert_eq!(unescaped(r"ab\"), ("ab".to_owned(), 2));
        assert_eq!(unescaped(r"ab\u00e"), ("ab".to_owned(), 2));
        assert_eq!(unescaped(r"\ud83d\ude0"), (String::new(), 0));
    }
}
