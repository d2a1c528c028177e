//! Rust values as the text of a return, in the form that qemu-ga gives it: `", "` and `": "` between things, and
//! ASCII only, so that nothing between the agent and the client can stumble over an encoding.

use crate::bindings::bulkhead::agent::reply as host;
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};
use std::io::{self, Write};

/// The return of a command that has nothing to say: `{}`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Empty {}

/// The last piece of a return whose other pieces went through [`append`].
#[derive(Debug)]
pub struct Tail(pub String);

/// Adds a piece of a long return's JSON text; the host keeps it.
pub fn append(text: &[u8]) {
    host::append(text);
}

/// Something a command may return.
pub trait IntoReturn {
    /// Its JSON text.
    fn into_return(self) -> String;
}

impl<T: Serialize> IntoReturn for T {
    fn into_return(self) -> String {
        let mut text = Vec::with_capacity(128);
        // Writing to memory cannot fail, and the schema's types have no map with keys that are no strings.
        let written = self.serialize(&mut Serializer::with_formatter(&mut text, QemuFormatter));
        debug_assert!(written.is_ok(), "a return can be written");
        String::from_utf8(text).unwrap_or_default()
    }
}

impl IntoReturn for Tail {
    fn into_return(self) -> String {
        self.0
    }
}

struct QemuFormatter;

impl Formatter for QemuFormatter {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let plain = |byte: u8| byte.is_ascii() && byte != 0x7F;
        if fragment.bytes().all(plain) {
            return writer.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            if u8::try_from(character).is_ok_and(plain) {
                writer.write_all(&[character as u8])?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04X}")?;
                }
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::Quote => writer.write_all(b"\\\""),
            CharEscape::ReverseSolidus => writer.write_all(b"\\\\"),
            CharEscape::Solidus => writer.write_all(b"/"),
            CharEscape::Backspace => writer.write_all(b"\\b"),
            CharEscape::FormFeed => writer.write_all(b"\\f"),
            CharEscape::LineFeed => writer.write_all(b"\\n"),
            CharEscape::CarriageReturn => writer.write_all(b"\\r"),
            CharEscape::Tab => writer.write_all(b"\\t"),
            CharEscape::AsciiControl(byte) => write!(writer, "\\u{byte:04X}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn separators_are_followed_by_a_space() {
        assert_eq!(json!({"a": [1, true, null], "b": {}}).into_return(), r#"{"a": [1, true, null], "b": {}}"#);
        assert_eq!(Empty {}.into_return(), "{}");
    }

    #[test]
    fn text_is_ascii_with_upper_case_escapes() {
        assert_eq!("é\u{1F600}\u{7F}\u{1}\n\"/".into_return(), r#""\u00E9\uD83D\uDE00\u007F\u0001\n\"/""#);
    }
}
