//! The contents of strings: taking escapes away, and putting them back.

use std::fmt::Write as _;
use std::str::Chars;

/// The characters that the contents of a string mean. The escapes must have been checked; where they are wrong after
/// all, U+FFFD stands for them.
pub(crate) fn unescaped(contents: &str) -> Unescaped<'_> {
    Unescaped { rest: contents.chars() }
}

/// See [`unescaped`].
pub(crate) struct Unescaped<'a> {
    rest: Chars<'a>,
}

impl Iterator for Unescaped<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self.rest.next()? {
            '\\' => Some(match self.rest.next()? {
                'b' => '\x08',
                'f' => '\x0C',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => self.code_point(),
                itself => itself,
            }),
            plain => Some(plain),
        }
    }
}

impl Unescaped<'_> {
    fn code_point(&mut self) -> char {
        let first = self.code_unit();
        let units = [first, if (0xD800..0xDC00).contains(&first) { self.second_half() } else { 0 }];
        char::decode_utf16(units).next().and_then(Result::ok).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    fn second_half(&mut self) -> u16 {
        // The `\u` before it.
        self.rest.next();
        self.rest.next();
        self.code_unit()
    }

    fn code_unit(&mut self) -> u16 {
        // Of four digits, so it fits.
        self.rest.by_ref().take(4).fold(0, |unit, digit| unit << 4 | digit.to_digit(16).unwrap_or(0) as u16)
    }
}

/// Appends `character` with as little escaping as RFC 8259 allows. Equal texts written so are equal byte by byte.
pub(crate) fn push_minimal(out: &mut String, character: char) {
    match character {
        '"' | '\\' | '\0'..='\x1F' => push_character(out, character),
        _ => out.push(character),
    }
}

/// Appends `text` as the contents of a string in a reply: ASCII only, escaped where and as qemu-ga does.
pub fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(index) = rest.bytes().position(|byte| !is_plain(byte)) {
        let (plain, tail) = rest.split_at(index);
        out.push_str(plain);
        let mut characters = tail.chars();
        // There is one: the position is that of its first byte.
        characters.next().into_iter().for_each(|character| push_character(out, character));
        rest = characters.as_str();
    }
    out.push_str(rest);
}

fn is_plain(byte: u8) -> bool {
    (0x20..0x7F).contains(&byte) && byte != b'"' && byte != b'\\'
}

fn push_character(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\x08' => out.push_str("\\b"),
        '\x0C' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        ' '..='~' => out.push(character),
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{unit:04X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        push_escaped(&mut out, text);
        out
    }

    #[test]
    fn escapes_are_taken_away() {
        let text: String = unescaped(r#"\"\\\/\'\b\f\n\r\t\u0000\u00e9\uD83D\ude00x€"#).collect();
        assert_eq!(text, "\"\\/'\x08\x0C\n\r\t\0é😀x€");
    }

    #[test]
    fn replies_are_ascii_with_upper_case_escapes() {
        assert_eq!(escaped("plain ~'/<&>"), "plain ~'/<&>");
        assert_eq!(escaped("\"\\\x08\x0C\n\r\t"), r#"\"\\\b\f\n\r\t"#);
        assert_eq!(escaped("\0\x01\x1F\x7F"), r"\u0000\u0001\u001F\u007F");
        assert_eq!(escaped("aé€😀b"), r"a\u00E9\u20AC\uD83D\uDE00b");
    }

    #[test]
    fn minimal_escapes_are_the_only_spelling() {
        let mut out = String::new();
        unescaped(r#"\u0061\/\u000a\"\u007f\u00e9"#).for_each(|character| push_minimal(&mut out, character));
        assert_eq!(out, "a/\\n\\\"\x7Fé");
    }
}
