//! How much one message may ask of us.

/// Bounds on one message. The defaults are qemu-ga's, so that no client meets a narrower door than before.
///
/// A message over a bound gets one error reply; the rest of it is read but not kept, until its brackets are closed
/// or a lexical error (such as the byte 0xFF) ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all tokens of a message together; white space between them is free, as it is not kept.
    ///
    /// Bounds the memory that a client can make us hold by sending one endless string: this much for the message,
    /// and again as much for a moment while a string that uses QEMU's extensions is rewritten. An honest client
    /// meets it with a guest-file-write of more than 48 MiB in one request.
    pub token_bytes: usize,
    /// Tokens of a message: each bracket, brace, colon, comma, string, number and word is one.
    ///
    /// Bounds the work and memory that are paid per token rather than per byte, such as remembering the keys of
    /// an object to find duplicates (some 50 bytes a key). No command of the agent needs a thousandth of it.
    pub tokens: usize,
    /// Braces and brackets open at the same time.
    ///
    /// Bounds the recursion of whoever parses the arguments after us: a module's parser has a stack of its own, and
    /// a run of `[` costs a client nothing. Arguments of real commands are at most four levels deep.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { token_bytes: 64 << 20, tokens: 2 << 20, depth: 1024 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Framer, Message};

    const PING: &str = r#"{"execute":"guest-ping"}"#;

    /// The command of a request, the text of a rejection, with limits small enough to be met.
    fn bounded_answers(input: &[u8]) -> Vec<String> {
        let mut framer = Framer::new(Limits { token_bytes: 40, tokens: 9, depth: 3 });
        framer.push(input);
        std::iter::from_fn(|| framer.next())
            .map(|message| match message {
                Message::Request(request) => request.execute().to_owned(),
                Message::Rejected(rejected) => rejected.desc,
            })
            .collect()
    }

    #[test]
    fn the_defaults_are_qemus() {
        assert_eq!(Limits::default(), Limits { token_bytes: 67_108_864, tokens: 2_097_152, depth: 1024 });
    }

    #[test]
    fn each_limit_is_met_exactly() {
        // 40 bytes in 5 tokens, and white space, which is free.
        assert_eq!(
            bounded_answers(br#" { "execute" :   "12345678901234567890123456" } "#),
            ["12345678901234567890123456"]
        );
        assert_eq!(
            bounded_answers(b"{\"execute\":\"123456789012345678901234567\"}"),
            ["JSON token size limit exceeded"]
        );
        assert_eq!(bounded_answers(b"[1,1,1,1]"), ["QMP input must be a JSON object"]);
        assert_eq!(bounded_answers(b"[1,1,1,1,1]"), ["JSON token count limit exceeded"]);
        assert_eq!(bounded_answers(b"[[[]]]"), ["QMP input must be a JSON object"]);
        assert_eq!(bounded_answers(b"[[[[]]]]"), ["JSON nesting depth limit exceeded"]);
    }

    #[test]
    fn after_a_limit_the_rest_is_eaten_and_not_stored() {
        let endless = "a".repeat(100_000);
        let input = format!("{{\"x\":\"{endless}\",\"y\":[1,2,{{}}]}}{PING}");
        assert_eq!(bounded_answers(input.as_bytes()), ["JSON token size limit exceeded", "guest-ping"]);
        assert_eq!(bounded_answers(format!("[[[[[[[]]]]]]]{PING}").as_bytes())[1..], ["guest-ping"]);
        assert_eq!(bounded_answers(b"[[[[[[[\xFF")[1..], [""; 0]);
    }
}
