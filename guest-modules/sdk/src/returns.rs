//! Rust values as the text of a return, in the form that qemu-ga gives it: `", "` and `": "` between things, floating
//! point numbers as C's `%.17g` writes them, and ASCII only, so that nothing between the agent and the client can
//! stumble over an encoding.

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

/// Adds the base64 of `bytes` to the string that a piece before has begun; the host encodes it as it is sent. All pieces of a
/// string but the last must have a multiple of 3 bytes, or there is padding in the middle of it.
pub fn append_base64(bytes: &[u8]) {
    host::append_base64(bytes);
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

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(general(value).as_bytes())
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // All at once and without branches: most are names of some letters.
        if fragment.bytes().fold(0, |all, byte| all | byte | byte.wrapping_add(1)) < 0x80 {
            return writer.write_all(fragment.as_bytes());
        }
        let plain = |byte: u8| byte.is_ascii() && byte != 0x7F;
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

/// A finite number as C's `%.17g` writes it: 17 significant digits without zeros at the end, and an exponent if that is
/// below -4 or above 16.
fn general(value: f64) -> String {
    let scientific = format!("{value:.16e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific.as_str(), "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if let Ok(decimals) = usize::try_from(16 - exponent)
        && exponent >= -4
    {
        return without_final_zeros(&format!("{value:.decimals$}")).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_final_zeros(digits), exponent.abs())
}

fn without_final_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
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

    /// What printf(3) makes of the same numbers.
    #[test]
    fn floating_point_numbers_have_seventeen_digits() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1, "0.10000000000000001"),
            (-2.5, "-2.5"),
            (1_700_000_000.123_456, "1700000000.123456"),
            (1e14 + 0.125, "100000000000000.12"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (0.0001, "0.0001"),
            (0.00001, "1.0000000000000001e-05"),
            (1e300, "1.0000000000000001e+300"),
            (5e-324, "4.9406564584124654e-324"),
        ] {
            assert_eq!(number.into_return(), text);
        }
        assert_eq!(json!({"load1m": 0.25}).into_return(), r#"{"load1m": 0.25}"#);
    }

    /// The form in which the generator writes a union.
    #[test]
    fn the_members_of_a_union_stand_beside_its_discriminator() {
        #[derive(Serialize)]
        struct Times {
            cpu: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            steal: Option<u64>,
        }
        #[derive(Serialize)]
        #[serde(tag = "type")]
        enum Stats {
            #[serde(rename = "linux")]
            Linux(Times),
            #[serde(rename = "not-told")]
            NotTold,
        }
        let stats = vec![Stats::Linux(Times { cpu: 0, steal: None }), Stats::Linux(Times { cpu: 1, steal: Some(7) })];
        assert_eq!(stats.into_return(), r#"[{"type": "linux", "cpu": 0}, {"type": "linux", "cpu": 1, "steal": 7}]"#);
        assert_eq!(Stats::NotTold.into_return(), r#"{"type": "not-told"}"#);
    }

    #[test]
    fn text_is_ascii_with_upper_case_escapes() {
        assert_eq!("é\u{1F600}\u{7F}\u{1}\n\"/".into_return(), r#""\u00E9\uD83D\uDE00\u007F\u0001\n\"/""#);
    }
}
