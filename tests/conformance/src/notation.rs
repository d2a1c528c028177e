//! The few things a transcript writes differently from the bytes on the wire.

use anyhow::{Context, Result, bail};

/// What the placeholders of a transcript stand for while it is played.
#[derive(Clone, Debug)]
pub struct Placeholders {
    /// `[SCRATCH]`: the folder for files of the transcript, as the agent names it.
    pub scratch: String,
    /// `[STATE]`: the agent's state directory, as the agent names it.
    pub state: String,
    /// `[PID]`: the process that was started last, as the agent numbers it; 0 if there is none.
    pub pid: String,
}

impl Placeholders {
    /// Puts in what they stand for.
    pub fn fill(&self, text: &str) -> String {
        text.replace("[SCRATCH]", &self.scratch).replace("[STATE]", &self.state).replace("[PID]", &self.pid)
    }

    /// Takes the folders out again, for a text that is to be written into a transcript.
    pub fn hide(&self, text: &str) -> String {
        text.replace(&self.scratch, "[SCRATCH]").replace(&self.state, "[STATE]")
    }
}

/// Spells out repetitions: `{ab*3}` is `ababab`. The repeated text holds no braces.
pub fn repeat(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let inside = &rest[open + 1..];
        let end = inside.find(['{', '}']).filter(|at| inside[*at..].starts_with('}'));
        let repetition = end.and_then(|end| {
            let (unit, count) = inside[..end].rsplit_once('*')?;
            Some((unit, count.parse::<usize>().ok()?, end))
        });
        out.push_str(&rest[..open]);
        match repetition {
            Some((unit, count, end)) => {
                out.push_str(&unit.repeat(count));
                rest = &inside[end + 1..];
            }
            None => {
                out.push('{');
                rest = inside;
            }
        }
    }
    out + rest
}

/// The bytes to send: repetitions spelled out, `\xff` as one byte, and a newline at the end unless the text ends in
/// `\c`. All other backslashes are JSON's and stay.
pub fn wire(text: &str) -> Result<Vec<u8>> {
    let text = repeat(text);
    let (text, newline) = text.strip_suffix("\\c").map_or((text.as_str(), true), |text| (text, false));
    let mut out = Vec::with_capacity(text.len() + 1);
    let mut pieces = text.split("\\x");
    out.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    for piece in pieces {
        let Some((digits, rest)) = piece.split_at_checked(2) else { bail!("\\x needs two hexadecimal digits") };
        out.push(u8::from_str_radix(digits, 16).with_context(|| format!("\\x{digits} is not hexadecimal"))?);
        out.extend_from_slice(rest.as_bytes());
    }
    if newline {
        out.push(b'\n');
    }
    Ok(out)
}

/// Whether `text` is what `pattern` says, in which each `wildcard` stands for any text.
pub fn matches(pattern: &str, wildcard: &str, text: &str) -> bool {
    let Some((first, others)) = pattern.split_once(wildcard) else { return pattern == text };
    let (middle, last) = others.rsplit_once(wildcard).unwrap_or(("", others));
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    for piece in middle.split(wildcard) {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_put_in_everywhere() {
        let places = Placeholders { scratch: "/s".into(), state: "/t".into(), pid: "7".into() };
        assert_eq!(places.fill("kill [PID] && ls [SCRATCH] [STATE]/[PID]"), "kill 7 && ls /s /t/7");
    }

    #[test]
    fn a_repetition_is_told_from_an_object() {
        assert_eq!(repeat(r#"{"a": {}}{xy*3}{"#), r#"{"a": {}}xyxyxy{"#);
        assert_eq!(repeat("{[*4}"), "[[[[");
        assert_eq!(repeat(r#"{"a*b": 1}"#), r#"{"a*b": 1}"#);
    }

    #[test]
    fn only_x_and_c_are_escapes() {
        assert_eq!(wire(r#"\xff{"a":"\u0041\n"}"#).unwrap(), b"\xff{\"a\":\"\\u0041\\n\"}\n");
        assert_eq!(wire(r"[[\c").unwrap(), b"[[");
        assert!(wire(r"\x").is_err());
        assert!(wire(r"\xzz").is_err());
    }

    #[test]
    fn a_wildcard_is_any_text() {
        assert!(matches("a[...]c[...]", "[...]", "abbbcd"));
        assert!(matches("a[...]", "[...]", "a"));
        assert!(!matches("a[...]a", "[...]", "a"));
        assert!(!matches("a[...]c", "[...]", "abcd"));
        assert!(!matches("abc", "[...]", "abcd"));
    }
}
