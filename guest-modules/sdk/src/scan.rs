//! Taking a long argument text apart without holding it.
//!
//! The text is read through a small window. Members that are short are kept and parsed; a string that is long is
//! only measured, and its place remembered for [`Streamed`] to read from.

use crate::{CommandError, Json, Streamed, find, parse};
use serde_json::Value;

/// The window, in bytes. With it and the pieces that follow, a module stays within the memory that it has from its start.
const WINDOW: u32 = 16 * 1024;
/// A string up to this many bytes of text is kept, a longer one left with the host: what is kept of one that turns out to be long was
/// copied in vain.
const KEPT_STRING: usize = 1024;
/// The longest key, in bytes. It bounds the same as the next.
const KEPT_KEY: usize = 64 * 1024;
/// The longest text of any other value, in bytes: a list of a few ten thousand words. It bounds the compartment's
/// memory, which an honest client with such a list would otherwise exhaust in the parser.
const KEPT_VALUE: usize = 2 * 1024 * 1024;

/// The members of the object whose text is `length` bytes long and is read by `read(offset, count)`.
pub(crate) fn members(length: u64, read: impl Fn(u64, u32) -> Vec<u8>) -> Result<Vec<(String, Json)>, CommandError> {
    Scanner { read, length, next: 0, window: Vec::new(), at: 0 }.object().ok_or_else(|| {
        CommandError::generic(format!("the arguments are too long (other than strings, {KEPT_VALUE} bytes are read)"))
    })
}

struct Scanner<R> {
    read: R,
    length: u64,
    /// Where in the text the window ends.
    next: u64,
    window: Vec<u8>,
    at: usize,
}

impl<R: Fn(u64, u32) -> Vec<u8>> Scanner<R> {
    /// The unread part of the window, filled again when it is used up; empty at the text's end.
    fn rest(&mut self) -> &[u8] {
        if self.at == self.window.len() && self.next < self.length {
            // First, so that the next one can have its place.
            self.window = Vec::new();
            self.window = (self.read)(self.next, WINDOW);
            self.next += self.window.len() as u64;
            self.at = 0;
        }
        &self.window[self.at..]
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.rest().first().copied()?;
        self.at += 1;
        Some(byte)
    }

    /// The next byte that is no white space; not taken.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.rest().first().copied()? {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// Takes white space and then `wanted`.
    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    fn offset(&self) -> u64 {
        self.next - (self.window.len() - self.at) as u64
    }

    fn object(&mut self) -> Option<Vec<(String, Json)>> {
        let mut members = Vec::new();
        self.expect(b'{')?;
        if self.peek()? == b'}' {
            return Some(members);
        }
        loop {
            self.expect(b'"')?;
            let Text::Kept(key) = self.string(KEPT_KEY)? else { return None };
            let key = serde_json::from_slice(&key).ok()?;
            self.expect(b':')?;
            members.push((key, self.value()?));
            match self.peek()? {
                b',' => self.at += 1,
                _ => return Some(members),
            }
        }
    }

    fn value(&mut self) -> Option<Json> {
        if self.peek()? == b'"' {
            self.at += 1;
            return match self.string(KEPT_STRING)? {
                Text::Kept(text) => serde_json::from_slice(&text).ok().map(|text| Json::Value(Value::String(text))),
                Text::Long { offset, length } => Some(Json::Long(Streamed::remote(offset, length))),
            };
        }
        let mut text = Vec::new();
        let mut depth = 0;
        loop {
            match self.rest().first().copied()? {
                b'"' => {
                    self.at += 1;
                    let Text::Kept(string) = self.string(KEPT_VALUE)? else { return None };
                    text.extend_from_slice(&string);
                }
                b',' | b'}' | b']' if depth == 0 => break,
                byte => {
                    match byte {
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth -= 1,
                        _ => {}
                    }
                    text.push(byte);
                    self.at += 1;
                }
            }
            if text.len() > KEPT_VALUE {
                return None;
            }
        }
        parse::value(&text).map(Json::Value)
    }

    /// The rest of a string whose opening quote was taken: with its quotes if its text has at most `most` bytes, its place if
    /// not.
    fn string(&mut self, most: usize) -> Option<Text> {
        let offset = self.offset();
        let mut kept = vec![b'"'];
        let mut is_long = false;
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return None;
            }
            let plain = find(rest, |byte| byte == b'"' || byte == b'\\').unwrap_or(rest.len());
            is_long |= kept.len() + plain > most;
            if !is_long {
                kept.extend_from_slice(&rest[..plain]);
            }
            self.at += plain;
            match self.rest().first() {
                Some(b'"') => {
                    let length = self.offset() - offset;
                    self.at += 1;
                    if is_long {
                        return Some(Text::Long { offset, length });
                    }
                    kept.push(b'"');
                    return Some(Text::Kept(kept));
                }
                Some(b'\\') => {
                    let escape = [self.take()?, self.take()?];
                    is_long |= kept.len() + escape.len() > most;
                    if !is_long {
                        kept.extend_from_slice(&escape);
                    }
                }
                _ => {}
            }
        }
    }
}

enum Text {
    Kept(Vec<u8>),
    Long { offset: u64, length: u64 },
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Scans `text` as if the host gave at most `step` bytes a call.
    fn scan(text: &str, step: usize) -> Result<Vec<(String, Json)>, CommandError> {
        members(text.len() as u64, |offset, count| {
            let from = usize::try_from(offset).unwrap();
            let count = (count as usize).min(step).min(text.len() - from);
            text.as_bytes()[from..from + count].to_vec()
        })
    }

    #[test]
    fn the_window_does_not_matter() {
        let text = r#"{ "a" : 1 , "b\n":"x\"y", "c" : [ {"d":"}]"}, null ], "e":{} }"#;
        let expected = vec![
            ("a".to_owned(), Json::Value(json!(1))),
            ("b\n".to_owned(), Json::Value(json!("x\"y"))),
            ("c".to_owned(), Json::Value(json!([{"d": "}]"}, null]))),
            ("e".to_owned(), Json::Value(json!({}))),
        ];
        for step in [1, 2, 3, 7, 1000] {
            assert_eq!(scan(text, step).unwrap(), expected, "{step} bytes at a time");
        }
        assert_eq!(scan("{}", 1).unwrap(), []);
    }

    #[test]
    fn a_long_string_is_left_where_it_is() {
        let long = "x".repeat(KEPT_STRING) + "\\n";
        let text = format!(r#"{{"handle":1000,"buf-b64":"{long}"}}"#);
        let found = scan(&text, 4096).unwrap();
        assert_eq!(found[1], ("buf-b64".to_owned(), Json::Long(Streamed::remote(26, long.len() as u64))));
        assert_eq!(&text[26..30], "xxxx");
    }

    #[test]
    fn a_long_string_in_a_list_is_kept() {
        let long = "x".repeat(KEPT_STRING * 2);
        let found = scan(&format!(r#"{{"arg":["-c","{long}"]}}"#), 4096).unwrap();
        assert_eq!(found, [("arg".to_owned(), Json::Value(json!(["-c", long])))]);
        let longer = "x".repeat(KEPT_VALUE + 1);
        assert!(scan(&format!(r#"{{"arg":["{longer}"]}}"#), 32768).is_err());
    }

    #[test]
    fn a_list_without_end_is_refused() {
        let text = format!(r#"{{"arg":[{}0]}}"#, "0,".repeat(KEPT_VALUE));
        assert!(scan(&text, 32768).unwrap_err().desc.contains("too long"));
    }
}
