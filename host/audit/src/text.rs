//! Text as JSON has it, in ASCII: whatever shows a line, nothing in it moves a cursor or is read in another encoding.

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, Formatter};
use std::io::{self, Write};

/// `text` as a string of JSON, with its quotation marks.
pub fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    // Writing to memory does not fail, nor does a string of JSON.
    let _ = text.serialize(&mut Serializer::with_formatter(&mut out, Ascii));
    String::from_utf8(out).unwrap_or_default()
}

/// Escapes all that is not a character of ASCII with a shape.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        for character in fragment.chars() {
            match character {
                ' '..='~' => out.write_all(&[character as u8])?,
                _ => escape(out, character)?,
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, out: &mut W, of: CharEscape) -> io::Result<()> {
        out.write_all(match of {
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"/",
            CharEscape::Backspace => b"\\b",
            CharEscape::FormFeed => b"\\f",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            CharEscape::AsciiControl(byte) => return escape(out, char::from(byte)),
        })
    }
}

/// By its number, or, beyond 16 bits, by two.
fn escape<W: ?Sized + Write>(out: &mut W, character: char) -> io::Result<()> {
    character.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04X}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_ascii_and_means_the_same() {
        for (text, expected) in [
            ("plain ~", r#""plain ~""#),
            ("\"\\/", r#""\"\\/""#),
            ("\u{8}\u{c}\n\r\t\0\u{1b}", r#""\b\f\n\r\t\u0000\u001B""#),
            ("\u{7f}\u{e9}\u{2028}", r#""\u007F\u00E9\u2028""#),
            ("\u{1f600}", r#""\uD83D\uDE00""#),
        ] {
            assert_eq!(quoted(text), expected);
            assert_eq!(serde_json::from_str::<String>(&quoted(text)).unwrap(), text);
        }
    }
}
