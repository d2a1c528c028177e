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
    /// The message as it came, without white space between tokens: kept whole, so that long arguments need no copy.
    pub(crate) text: Arc<String>,
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
    /// twice in any object. `{}` when the client sent none.
    pub fn arguments(&self) -> &str {
        self.arguments.clone().and_then(|place| self.text.get(place)).unwrap_or("{}")
    }

    /// The members of the arguments that are long strings, in order. Known from the one time that the request was read.
    pub fn long_strings(&self) -> impl Iterator<Item = LongString> {
        let begin = self.arguments.as_ref().map_or(0, |arguments| arguments.start);
        self.long_strings.iter().map(move |LongMember { key, value, escaped }| {
            let key = self.text.get(key.start + 1..key.end - 1).unwrap_or_default();
            let place = value.start + 1 - begin..value.end - 1 - begin;
            LongString { name: unescaped(key).collect(), place, escaped: *escaped }
        })
    }

    /// The text of the arguments, where each of the [`Request::long_strings`] is empty.
    pub fn short_arguments(&self) -> String {
        let (all, mut short, mut from) = (self.arguments(), String::new(), 0);
        for LongString { place, .. } in self.long_strings() {
            short.push_str(all.get(from..place.start).unwrap_or_default());
            from = place.end;
        }
        short.push_str(all.get(from..).unwrap_or_default());
        short
    }

    /// What to send back with the reply.
    pub fn id(&self) -> Option<&Id> {
        self.id.as_ref()
    }
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
