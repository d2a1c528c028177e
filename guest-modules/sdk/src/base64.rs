//! base64 as lenient as clients of qemu-ga are used to.
//!
//! Allowed are the alphabet of RFC 4648, `=` and line feeds. Line feeds mean nothing. Every four other characters
//! are a group; `=` counts as a character worth nothing. A group gives its first byte always, its second if its third
//! character is no `=`, its third if its fourth is none. So `QQ==QQ==` is two bytes, `====` is one zero byte, and a
//! group that is not complete at the end gives nothing.

use crate::{count, find};
use base64_simd::STANDARD;

/// A character that is neither of the alphabet nor `=` nor a line feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

/// Checks a text that comes in pieces and counts the bytes it stands for.
#[derive(Debug, Default)]
pub struct Measure {
    bytes: u64,
    group: Group,
}

impl Measure {
    /// The next piece.
    pub fn add(&mut self, piece: &[u8]) -> Result<(), Invalid> {
        if self.group.is_empty() && STANDARD.check(piece).is_ok() {
            // As most clients send it: whole groups, without line feeds, padding at the end if at all.
            let padding = piece.iter().rev().take_while(|byte| **byte == b'=').count();
            self.bytes += (piece.len() / 4 * 3 - padding) as u64;
            return Ok(());
        }
        let (plain, rest) = piece.split_at(first_padding(piece));
        let (quick, tail) = plain.split_at(plain.len() / 4 * 4);
        // The library is three times faster, and knows neither line feeds nor padding in the middle.
        let slowly: &[&[u8]] = if STANDARD.check(quick).is_ok() { &[tail, rest] } else { &[piece] };
        if slowly.iter().any(|part| find(part, |byte| !is_allowed(byte)).is_some()) {
            return Err(Invalid);
        }
        let newlines = count(plain, |byte| byte == b'\n');
        self.plain(plain.len() - newlines);
        for character in rest.iter().filter(|byte| **byte != b'\n') {
            self.bytes += self.group.add(*character).map_or(0, |bytes| bytes.count() as u64);
        }
        Ok(())
    }

    /// `count` characters of the alphabet. What they are does not matter, only that they are no padding.
    fn plain(&mut self, count: usize) {
        let mut left = count;
        while left > 0 && (!self.group.is_empty() || left < 4) {
            self.bytes += self.group.add(b'A').map_or(0, |bytes| bytes.count() as u64);
            left -= 1;
        }
        self.bytes += (left / 4 * 3) as u64;
        for _ in 0..left % 4 {
            self.group.add(b'A');
        }
    }

    /// How many bytes the pieces so far stand for.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Decodes a text that comes in pieces.
#[derive(Debug, Default)]
pub struct Decoder {
    group: Group,
    /// The piece without its line feeds, when it has some.
    joined: Vec<u8>,
}

impl Decoder {
    /// Appends to `bytes` what `piece`, behind the pieces before it, stands for.
    pub fn decode(&mut self, piece: &[u8], bytes: &mut Vec<u8>) -> Result<(), Invalid> {
        let length = bytes.len();
        if self.group.is_empty() && STANDARD.decode_append(piece, bytes).is_ok() {
            return Ok(());
        }
        bytes.truncate(length);
        if find(piece, |byte| !is_allowed(byte)).is_some() {
            return Err(Invalid);
        }
        if find(piece, |byte| byte == b'\n').is_some() {
            let mut joined = std::mem::take(&mut self.joined);
            joined.clear();
            for line in piece.split(|byte| *byte == b'\n') {
                joined.extend_from_slice(line);
            }
            self.characters(&joined, bytes);
            self.joined = joined;
        } else {
            self.characters(piece, bytes);
        }
        Ok(())
    }

    fn characters(&mut self, text: &[u8], bytes: &mut Vec<u8>) {
        let open = (4 - self.group.filled) % 4;
        let (first, text) = text.split_at(open.min(text.len()));
        self.slowly(first, bytes);
        // From here, if there is more, groups begin where `text` does.
        let (quick, rest) = text.split_at(first_padding(text) / 4 * 4);
        if STANDARD.decode_append(quick, bytes).is_err() {
            // Only if the library knows less than the alphabet; slow and right rather than quick and wrong.
            self.slowly(quick, bytes);
        }
        self.slowly(rest, bytes);
    }

    fn slowly(&mut self, text: &[u8], bytes: &mut Vec<u8>) {
        for character in text {
            bytes.extend(self.group.add(*character).into_iter().flatten());
        }
    }
}

/// A group under way.
#[derive(Debug, Default)]
struct Group {
    characters: [u8; 4],
    filled: usize,
}

impl Group {
    fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Adds a character; the fourth gives the group's bytes.
    fn add(&mut self, character: u8) -> Option<impl Iterator<Item = u8> + use<>> {
        self.characters[self.filled] = character;
        self.filled += 1;
        if self.filled < 4 {
            return None;
        }
        self.filled = 0;
        let [_, _, third, fourth] = self.characters;
        let value = self.characters.iter().fold(0_u32, |value, character| value << 6 | u32::from(rank(*character)));
        let [_, bytes @ ..] = value.to_be_bytes();
        let kept = [true, third != b'=', fourth != b'='];
        Some(bytes.into_iter().zip(kept).filter(|(_, keep)| *keep).map(|(byte, _)| byte))
    }
}

/// Where the first `=` is, or the text's end.
fn first_padding(text: &[u8]) -> usize {
    find(text, |byte| byte == b'=').unwrap_or(text.len())
}

/// Of the alphabet, padding or a line feed; without branches, so that it can be asked of many bytes at once.
fn is_allowed(byte: u8) -> bool {
    let within = |first: u8, count: u8| byte.wrapping_sub(first) < count;
    within(b'A', 26)
        | within(b'a', 26)
        | within(b'0', 10)
        | (byte == b'+')
        | (byte == b'/')
        | (byte == b'=')
        | (byte == b'\n')
}

fn rank(character: u8) -> u8 {
    match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(pieces: &[&str]) -> Vec<u8> {
        let (mut measure, mut decoder, mut bytes) = (Measure::default(), Decoder::default(), Vec::new());
        for piece in pieces {
            assert_eq!(measure.add(piece.as_bytes()), Ok(()));
            assert_eq!(decoder.decode(piece.as_bytes(), &mut bytes), Ok(()));
        }
        assert_eq!(measure.bytes(), bytes.len() as u64, "measured as decoded: {pieces:?}");
        bytes
    }

    #[test]
    fn endings_are_taken_as_qemu_ga_takes_them() {
        assert_eq!(decode(&["SGVsbG8="]), b"Hello");
        assert_eq!(decode(&["QUI"]), b"");
        assert_eq!(decode(&["Q"]), b"");
        assert_eq!(decode(&["QQ==QQ=="]), b"AA");
        assert_eq!(decode(&["===="]), [0]);
        assert_eq!(decode(&[""]), b"");
    }

    #[test]
    fn cuts_and_line_feeds_do_not_matter() {
        let text = "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZw==QUJD";
        let whole = decode(&[text]);
        for cut in 0..=text.len() {
            let (head, tail) = text.split_at(cut);
            assert_eq!(decode(&[head, tail]), whole, "cut at {cut}");
            assert_eq!(decode(&[head, "\n", tail, "\n\n"]), whole, "line feed at {cut}");
            assert_eq!(decode(&[&format!("{head}\n{tail}")]), whole, "line feed inside at {cut}");
        }
    }

    #[test]
    fn other_characters_are_invalid_wherever_they_stand() {
        for text in [" AAA", "AAA\r", "AA-A", "AA_A", "A\0AA", "AAA\u{e9}"] {
            assert_eq!(Measure::default().add(text.as_bytes()), Err(Invalid), "{text:?}");
            assert_eq!(Decoder::default().decode(text.as_bytes(), &mut Vec::new()), Err(Invalid), "{text:?}");
        }
    }
}
