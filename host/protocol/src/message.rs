//! What comes out of the framer.

use crate::canonical::Id;
use crate::text::unescaped;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of a string, escapes and all, above which its place is remembered: so much text costs less to hand over than to hand over
/// apart.
pub(crate) const LONG_STRING: usize = 1024;

/// One message of the client, in the order sent. Each wants exactly one answer (a request whose command has no
/// success response apart).
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// A well-formed request: look up its command and run it.
    Request(Request),
    /// Anything else: answer with an error of class GenericError and this text.
    Rejected(Rejected),
}

/// Why there is nothing to execute.
#[derive(Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The `desc` of the error reply, in qemu-ga's words.
    pub desc: String,
    /// The client's `id`, if the message was a JSON object that could be read to its end.
    pub id: Option<Id>,
}

/// A request whose envelope is in order: nothing is known of the command, nor of what its arguments mean.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    pub(crate) execute: String,
    /// The message as it came, without white space between tokens: kept whole, so that long arguments need no copy. Always UTF-8,
    /// and bytes all the same: a `String` would have to be checked once more, all of it.
    pub(crate) text: Arc<Vec<u8>>,
    pub(crate) arguments: Option<Range<usize>>,
    pub(crate) long_strings: Vec<LongMember>,
    pub(crate) id: Option<Id>,
}

/// Where a [`LongString`] is: its key and its value, with their quotes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LongMember {
    pub(crate) key: Range<usize>,
    pub(crate) value: Range<usize>,
    pub(crate) escaped: bool,
    /// See [`StringFacts::base64`](crate::string::StringFacts::base64).
    pub(crate) padding: Option<u8>,
}

/// A member of the arguments whose value is a string of more than 1024 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongString {
    /// What its key means.
    pub name: String,
    /// Where in the arguments' text the value stands, escapes and all, without its quotes.
    pub place: Range<usize>,
    /// Whether there may be escapes in it.
    pub escaped: bool,
}

impl Request {
    /// The name of the command.
    pub fn execute(&self) -> &str {
        &self.execute
    }

    /// The text of the arguments: always one object in strict RFC 8259, without white space between tokens, no key
    /// twice in any object. `{}` when the client sent none. Looks through all of it; [`Request::argument_bytes`] does not.
    pub fn arguments(&self) -> &str {
        utf8(self.argument_bytes())
    }

    /// The same as bytes, which are UTF-8.
    pub fn argument_bytes(&self) -> &[u8] {
        self.arguments.clone().and_then(|place| self.text.get(place)).unwrap_or(b"{}")
    }

    /// The members of the arguments that are long strings, in order. Known from the one time that the request was read.
    pub fn long_strings(&self) -> impl Iterator<Item = LongString> {
        let begin = self.arguments.as_ref().map_or(0, |arguments| arguments.start);
        self.long_strings.iter().map(move |LongMember { key, value, escaped, .. }| {
            let key = contents(&self.text, key.clone());
            let place = value.start + 1 - begin..value.end - 1 - begin;
            LongString { name: unescaped(key).collect(), place, escaped: *escaped }
        })
    }

    /// How many bytes the long string that begins at `offset` of the arguments' text stands for, if all of it is base64 (RFC 4648, section
    /// 4): whole groups of its alphabet, the last one padded or not. None if no long string begins there.
    pub fn base64_length(&self, offset: usize) -> Option<u64> {
        let begin = self.arguments.as_ref()?.start.checked_add(offset)?;
        let LongMember { value, padding, .. } = self.long_strings.iter().find(|one| one.value.start + 1 == begin)?;
        let characters = value.len() - 2;
        padding.filter(|_| characters % 4 == 0).map(|padding| characters as u64 / 4 * 3 - u64::from(padding))
    }

    /// The text of the arguments, where each of the [`Request::long_strings`] is empty.
    pub fn short_arguments(&self) -> String {
        let (all, mut short, mut from) = (self.argument_bytes(), String::new(), 0);
        for LongString { place, .. } in self.long_strings() {
            short.push_str(utf8(all.get(from..place.start).unwrap_or_default()));
            from = place.end;
        }
        short.push_str(utf8(all.get(from..).unwrap_or_default()));
        short
    }

    /// What to send back with the reply.
    pub fn id(&self) -> Option<&Id> {
        self.id.as_ref()
    }
}

/// What stands between the quotes of the string at `place`.
pub(crate) fn contents(text: &[u8], place: Range<usize>) -> &str {
    utf8(text.get(place.start + 1..place.end - 1).unwrap_or_default())
}

/// A part of a message's text. It is UTF-8: strings have been checked, and nothing outside them can be anything but ASCII.
pub(crate) fn utf8(part: &[u8]) -> &str {
    str::from_utf8(part).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Framer, Limits};

    fn request(text: &str) -> Request {
        let mut framer = Framer::new(Limits::default());
        framer.push(text.as_bytes());
        let Some(Message::Request(request)) = framer.next() else { panic!("{text}") };
        request
    }

    #[test]
    fn long_strings_are_known_by_their_place() {
        let long = "x".repeat(LONG_STRING) + "\\n";
        let sent = format!(
            r#"{{"arguments": {{"h": 1, "a\u0062": "{long}", "o": {{"p": "{long}"}}, "\"": "{long}", "s": "x"}}, "execute": "{long}"}}"#
        );
        let request = request(&sent);
        let found: Vec<LongString> = request.long_strings().collect();
        assert_eq!(found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["ab", "\""]);
        for LongString { place, escaped, .. } in found {
            assert_eq!(request.arguments()[place], long);
            assert!(escaped);
        }
        let short = format!(r#"{{"h":1,"ab":"","o":{{"p":"{long}"}},"\"":"","s":"x"}}"#);
        assert_eq!(request.short_arguments(), short);
    }

    #[test]
    fn escapes_are_known_also_where_they_were_made() {
        let long = "x".repeat(LONG_STRING);
        for (string, escaped) in
            [(format!("\"{long}x\""), false), (format!("'{long}\"'"), true), (format!("'{long}\u{e9}'"), true)]
        {
            let request = request(&format!(r#"{{"execute":"x","arguments":{{"a":{string}}}}}"#));
            let found: Vec<LongString> = request.long_strings().collect();
            assert_eq!(found.len(), 1, "{string}");
            assert_eq!(found[0].escaped, escaped, "{string}");
            assert!(escaped || !request.arguments()[found[0].place.clone()].contains('\\'));
        }
    }

    #[test]
    fn base64_has_a_length() {
        let long = "QUJD".repeat(LONG_STRING);
        for (end, bytes) in
            [("", Some(0)), ("QUI=", Some(2)), ("QQ==", Some(1)), ("QQ", None), ("QQ=", None), ("\\/AAA", None)]
        {
            let request = request(&format!(r#"{{"execute":"x","arguments":{{"a":"{long}{end}"}}}}"#));
            let begin = request.long_strings().next().unwrap().place.start;
            assert_eq!(request.base64_length(begin), bytes.map(|bytes| 3 * LONG_STRING as u64 + bytes), "{end}");
            assert_eq!([begin - 1, begin + 1, usize::MAX].map(|other| request.base64_length(other)), [None; 3]);
        }
        // What had to be rewritten is not looked at again.
        let request = request(&format!(r#"{{"execute":"x","arguments":{{"a":'{long}'}}}}"#));
        let long = request.long_strings().next().unwrap();
        assert_eq!((long.escaped, request.base64_length(long.place.start)), (true, None));
    }

    #[test]
    fn other_things_are_not_long_strings() {
        let long = "1".repeat(LONG_STRING + 1);
        for sent in [
            format!(r#"{{"id":{{"a":"{long}"}},"execute":"x","arguments":{{"n":{long},"l":["{long}"]}}}}"#),
            format!(r#"{{"execute":"x","arguments":{{"a":"{}"}}}}"#, "x".repeat(LONG_STRING)),
            format!(r#"{{"execute":"{long}"}}"#),
        ] {
            let request = request(&sent);
            assert_eq!(request.long_strings().count(), 0, "{sent}");
            assert_eq!(request.short_arguments(), request.arguments());
        }
    }

    #[test]
    fn arguments_are_strict_json() {
        for (sent, given) in [
            (r#"{ "a" : [ 1 , "b c" ] }"#, r#"{"a":[1,"b c"]}"#),
            (r#"{"a":"\/\u00e9é"}"#, r#"{"a":"\/\u00e9é"}"#),
            (r#"{'a':'"\'','b':"\'"}"#, r#"{"a":"\"'","b":"'"}"#),
            (r#"{"a":-0,"b":[-0,-0.0,-10]}"#, r#"{"a":0,"b":[0,-0.0,-10]}"#),
            (r#"{"\u0061":{"\u0062":"\u0062"}}"#, r#"{"a":{"b":"\u0062"}}"#),
        ] {
            let mut framer = Framer::new(Limits::default());
            framer.push(format!(r#"{{"arguments":{sent},"execute":"x"}}"#).as_bytes());
            let message = framer.next();
            assert!(matches!(&message, Some(Message::Request(one)) if one.arguments() == given), "{message:?}");
        }
    }
}
