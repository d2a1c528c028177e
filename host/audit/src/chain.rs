//! Numbers, and what joins a line to the one before it.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::fmt::Write;

/// A SHA-256.
pub(crate) type Digest = [u8; 32];

/// The digest of a line, without its line break.
pub(crate) fn digest(line: &[u8]) -> Digest {
    Sha256::digest(line).into()
}

/// Where a chain stands: what the next line has to say of the one before it. Fresh chains begin with the number 1 and zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    /// The number of the last line.
    pub(crate) seq: u64,
    /// Its digest.
    pub(crate) prev: Digest,
}

impl Chain {
    /// Makes the line with `members`, `skip` numbers after the next.
    pub(crate) fn line(&self, skip: u64, members: &str, line: &mut String) {
        line.clear();
        // Writing to a string does not fail.
        let _ = write!(line, "{{\"seq\":{},\"prev\":\"", self.after(skip));
        for byte in self.prev {
            line.extend([byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])));
        }
        *line += "\",";
        *line += members;
        line.push('}');
    }

    /// That line is now the last.
    pub(crate) fn wrote(&mut self, skip: u64, line: &str) {
        *self = Chain { seq: self.after(skip), prev: digest(line.as_bytes()) };
    }

    /// The number of the line that comes after `skip` others.
    pub(crate) fn after(&self, skip: u64) -> u64 {
        self.seq.saturating_add(1).saturating_add(skip)
    }
}

/// What a line says of its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) seq: u64,
    pub(crate) prev: Digest,
    pub(crate) time: String,
    /// The numbers of lines that were lost before it: the first and the last.
    pub(crate) lost: Option<(u64, u64)>,
    /// How many of them came too fast.
    pub(crate) left_out: u64,
    /// How many more there were like the line before it.
    pub(crate) repeated: u64,
}

impl Link {
    /// Reads it from a line; nothing if it is not a line of an audit: an object in ASCII that begins as every line does.
    pub(crate) fn read(line: &[u8]) -> Option<Link> {
        let members: Map<String, Value> = serde_json::from_slice(line).ok().filter(|_| line.is_ascii())?;
        let number = |name: &str| members.get(name)?.as_u64();
        let text = |name: &str| members.get(name)?.as_str();
        let (seq, prev, time) = (number("seq")?, text("prev")?, text("time")?);
        if !line.starts_with(format!("{{\"seq\":{seq},\"prev\":\"{prev}\",\"time\":\"").as_bytes()) {
            return None;
        }
        let is_event = |name: &str| text("event") == Some(name);
        let by_kind = members.get("left-out").filter(|_| is_event("lost")).and_then(Value::as_object);
        let left_out = by_kind.into_iter().flat_map(Map::values).filter_map(Value::as_u64);
        Some(Link {
            seq,
            prev: from_hex(prev)?,
            time: time.to_owned(),
            lost: if is_event("lost") { Some((number("first")?, number("last")?)) } else { None },
            left_out: left_out.fold(0, u64::saturating_add),
            repeated: if is_event("repeated") { number("times")? } else { 0 },
        })
    }
}

fn from_hex(text: &str) -> Option<Digest> {
    let mut digest = Digest::default();
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).map(|it| it as u8)).collect::<Option<_>>()?;
    let is_ours = digits.len() == 2 * digest.len() && !text.contains(char::is_uppercase);
    digest.iter_mut().zip(digits.chunks_exact(2)).for_each(|(byte, pair)| *byte = pair[0] << 4 | pair[1]);
    is_ours.then_some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_its_place() {
        let (mut chain, mut line) = (Chain::default(), String::new());
        chain.line(0, r#""time":"t","a":{}"#, &mut line);
        let zeros = "0".repeat(64);
        assert_eq!(line, format!(r#"{{"seq":1,"prev":"{zeros}","time":"t","a":{{}}}}"#));
        let link = Link::read(line.as_bytes()).unwrap();
        assert_eq!((link.seq, link.prev, link.lost), (1, [0; 32], None));
        chain.wrote(0, &line);
        chain.line(5, r#""time":"t","event":"lost","first":2,"last":6,"left-out":{"read":2,"acted":1}"#, &mut line);
        let link = Link::read(line.as_bytes()).unwrap();
        assert_eq!((link.seq, link.prev, link.lost, link.left_out), (7, chain.prev, Some((2, 6)), 3));
        chain.line(0, r#""time":"t","event":"repeated","times":9"#, &mut line);
        assert_eq!(Link::read(line.as_bytes()).unwrap().repeated, 9);
    }

    /// FIPS 180-4's own example.
    #[test]
    fn the_digest_is_sha_256() {
        let expected = from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad").unwrap();
        assert_eq!(digest(b"abc"), expected);
    }

    #[test]
    fn what_is_no_line_of_ours_has_no_place() {
        let zeros = "0".repeat(64);
        for line in [
            String::new(),
            "x".to_owned(),
            "[1,2,3]".to_owned(),
            format!(r#"{{"seq":1,"prev":"{zeros}","time":"t""#),
            format!(r#"{{"seq":-1,"prev":"{zeros}","time":"t"}}"#),
            format!(r#"{{"seq":1,"prev":"{}","time":"t"}}"#, "A".repeat(64)),
            format!(r#"{{"seq":1,"prev":"{}","time":"t"}}"#, "0".repeat(63)),
            format!(r#"{{"prev":"{zeros}","seq":1,"time":"t"}}"#),
            format!(r#"{{"seq":1,"prev":"{zeros}","time":"t","event":"lost","first":1}}"#),
            format!(" {{\"seq\":1,\"prev\":\"{zeros}\",\"time\":\"t\"}}"),
            format!("{{\"seq\":1,\"prev\":\"{zeros}\",\"time\":\"\u{e9}\"}}"),
        ] {
            assert_eq!(Link::read(line.as_bytes()), None, "{line}");
        }
    }
}
