//! The members of a request: where they lie in the text, and whether they are what they should be.

use crate::canonical::Id;
use crate::message::{LONG_STRING, LongMember, Message, Rejected, Request, contents, utf8};
use crate::text::unescaped;
use std::ops::Range;
use std::sync::Arc;

/// What is known of a message's outermost object. All ranges are places in the message's text, quotes included.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    /// The key whose value comes next, or is being read.
    current: Option<Member>,
    value_start: usize,
    execute: Option<Range<usize>>,
    arguments: Option<Range<usize>>,
    id: Option<Range<usize>>,
    /// The key of the last member that does not belong in a request.
    unexpected: Option<Range<usize>>,
    /// The last key one level further in.
    inner_key: Range<usize>,
    long_strings: Vec<LongMember>,
}

#[derive(Debug)]
enum Member {
    Execute,
    Arguments,
    Id,
    Unexpected(Range<usize>),
}

impl Envelope {
    /// A key of the outermost object.
    pub(crate) fn key(&mut self, text: &[u8], place: Range<usize>) {
        self.current = Some(match &text[place.clone()] {
            b"\"execute\"" => Member::Execute,
            b"\"arguments\"" => Member::Arguments,
            b"\"id\"" => Member::Id,
            _ => Member::Unexpected(place),
        });
    }

    /// A key of an object in the outermost one.
    pub(crate) fn inner_key(&mut self, place: Range<usize>) {
        self.inner_key = place;
    }

    /// A string in an object or list in the outermost one, whether there may be escapes in it, and what it ends in if it is base64.
    pub(crate) fn inner_string(&mut self, place: Range<usize>, escaped: bool, padding: Option<u8>) {
        if place.len() > LONG_STRING + 2 && matches!(self.current, Some(Member::Arguments)) {
            self.long_strings.push(LongMember { key: self.inner_key.clone(), value: place, escaped, padding });
        }
    }

    /// A value begins directly inside whatever is outermost.
    pub(crate) fn value_begins(&mut self, start: usize) {
        self.value_start = start;
    }

    /// That value has ended.
    pub(crate) fn value_ends(&mut self, end: usize) {
        let value = Some(self.value_start..end);
        match self.current.take() {
            Some(Member::Execute) => self.execute = value,
            Some(Member::Arguments) => self.arguments = value,
            Some(Member::Id) => self.id = value,
            Some(Member::Unexpected(key)) => self.unexpected = Some(key),
            // An element of an array, which is not a request.
            None => {}
        }
    }

    /// Makes the message from its text, one JSON value, when all of it is there.
    pub(crate) fn into_message(self, text: Arc<Vec<u8>>) -> Message {
        let first = |place: &Range<usize>| text.get(place.start);
        if first(&(0..text.len())) != Some(&b'{') {
            return reject("QMP input must be a JSON object".into(), None);
        }
        let id = self.id.map(|place| Id::new(utf8(&text[place])));
        // The order in which qemu-ga checks hangs on a hash; types before superfluous before missing members agrees
        // with every answer recorded.
        if self.execute.as_ref().is_some_and(|place| first(place) != Some(&b'"')) {
            return reject("QMP input member 'execute' must be a string".into(), id);
        }
        if self.arguments.as_ref().is_some_and(|place| first(place) != Some(&b'{')) {
            return reject("QMP input member 'arguments' must be an object".into(), id);
        }
        if let Some(place) = self.unexpected {
            return reject(format!("QMP input member '{}' is unexpected", string(&text, place)), id);
        }
        let Some(place) = self.execute else {
            return reject("QMP input lacks member 'execute'".into(), id);
        };
        let (execute, arguments, long_strings) = (string(&text, place), self.arguments, self.long_strings);
        Message::Request(Request { execute, text, arguments, long_strings, id })
    }
}

fn reject(desc: String, id: Option<Id>) -> Message {
    Message::Rejected(Rejected { desc, id })
}

/// What the string at `place`, with its quotes, means.
fn string(text: &[u8], place: Range<usize>) -> String {
    unescaped(contents(text, place)).collect()
}

#[cfg(test)]
mod tests {
    use crate::{Framer, Limits, Message, Request};

    fn read(input: &str) -> Message {
        let mut framer = Framer::new(Limits::default());
        framer.push(input.as_bytes());
        framer.next().expect("a message")
    }

    fn request(input: &str) -> Request {
        match read(input) {
            Message::Request(request) => request,
            Message::Rejected(rejected) => panic!("{rejected:?}"),
        }
    }

    /// The text of the error, and the id that comes with it.
    fn rejection(input: &str) -> (String, Option<String>) {
        match read(input) {
            Message::Rejected(rejected) => (rejected.desc, rejected.id.map(|id| id.as_str().to_owned())),
            Message::Request(request) => panic!("{request:?}"),
        }
    }

    #[test]
    fn members_in_any_order() {
        let ping = request(r#"{"execute":"guest-ping"}"#);
        assert_eq!((ping.execute(), ping.arguments(), ping.id()), ("guest-ping", "{}", None));
        let sync = request(r#"{"id":[1,"x"],"arguments":{"id":4,"execute":{}},"execute":"guest-\u0073ync"}"#);
        assert_eq!((sync.execute(), sync.arguments()), ("guest-sync", r#"{"id":4,"execute":{}}"#));
        assert_eq!(sync.id().map(|id| id.as_str()), Some(r#"[1, "x"]"#));
        assert_eq!(request(r#"{"\u0065xecute":""}"#).execute(), "");
    }

    #[test]
    fn members_as_recorded() {
        for (sent, desc) in [
            ("[]", "QMP input must be a JSON object"),
            (r#"[{"execute":"guest-ping"}]"#, "QMP input must be a JSON object"),
            (r#""execute""#, "QMP input must be a JSON object"),
            ("{}", "QMP input lacks member 'execute'"),
            (r#"{"arguments":{}}"#, "QMP input lacks member 'execute'"),
            (r#"{"execute":null}"#, "QMP input member 'execute' must be a string"),
            (r#"{"execute":{},"foo":1}"#, "QMP input member 'execute' must be a string"),
            (r#"{"execute":"guest-ping","arguments":null}"#, "QMP input member 'arguments' must be an object"),
            (r#"{"foo":1,"arguments":[]}"#, "QMP input member 'arguments' must be an object"),
            (r#"{"execute":"guest-ping","foo":1,"bar":2}"#, "QMP input member 'bar' is unexpected"),
            (r#"{"exec-oob":"guest-ping"}"#, "QMP input member 'exec-oob' is unexpected"),
            (r#"{"a\"b\u00e9":{"execute":"guest-ping"}}"#, "QMP input member 'a\"bé' is unexpected"),
        ] {
            assert_eq!(rejection(sent), (desc.to_owned(), None), "{sent}");
        }
    }

    #[test]
    fn the_id_comes_back_once_the_object_could_be_read() {
        assert_eq!(rejection(r#"{"id":3,"foo":1}"#).1.as_deref(), Some("3"));
        assert_eq!(rejection(r#"{"execute":1,"id":{"a":1.0}}"#).1.as_deref(), Some(r#"{"a": 1}"#));
        assert_eq!(rejection(r#"{"id":3,"execute":}"#).1, None);
    }
}
