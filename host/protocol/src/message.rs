//! What comes out of the framer.

use crate::canonical::Id;
use std::ops::Range;

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
    pub(crate) text: String,
    pub(crate) arguments: Option<Range<usize>>,
    pub(crate) id: Option<Id>,
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

    /// What to send back with the reply.
    pub fn id(&self) -> Option<&Id> {
        self.id.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Framer, Limits, Message};

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
