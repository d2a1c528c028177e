//! The stream of messages.

use crate::Limits;
use crate::draft::Draft;
use crate::fault::{Fault, SyntaxFault};
use crate::lexer::{Lexeme, Lexer, Token};
use crate::message::{Message, Rejected};
use crate::recovery::Recovery;

/// Memory for bytes not yet looked at that is kept when all have been.
const KEPT: usize = 64 << 10;

/// Cuts what one connection sends into messages.
///
/// Push bytes as they come, then call [`Framer::next`] until it has none: what was pushed waits in memory until then.
/// A message is complete at its closing brace, without a line break; a bare number or word needs one more byte.
/// How the bytes are cut into pieces makes no difference, and what was looked at is not looked at again when more comes.
///
/// ```
/// use bulkhead_protocol::{Framer, Limits, Message};
///
/// let mut framer = Framer::new(Limits::default());
/// framer.push(br#"{"execute": "guest-sync", "argum"#);
/// assert!(framer.next().is_none());
/// framer.push(br#"ents": {"id": 7}}"#);
/// let Some(Message::Request(request)) = framer.next() else { panic!("not a request") };
/// assert_eq!((request.execute(), request.arguments()), ("guest-sync", r#"{"id":7}"#));
/// ```
///
/// A message that cannot be read is answered by one [`Rejected`]. What follows is found as qemu-ga finds it:
///
/// * After a stray byte (one that no token may hold; 0xFF always is one) everything is forgotten, and bytes are
///   skipped up to a bracket, colon, comma, line break, other control character, or 0xFF. This is what clients rely
///   on when they send 0xFF to begin afresh.
/// * After any other mistake, or a message beyond the [`Limits`], tokens are eaten until its brackets are closed or
///   a stray byte comes, which is not answered again. None of it is stored.
#[derive(Debug)]
pub struct Framer {
    /// Bytes pushed.
    pending: Vec<u8>,
    /// How many of them have been looked at.
    at: usize,
    lexer: Lexer,
    draft: Draft,
    /// Set while the rest of a broken message is eaten; the draft is empty then.
    recovery: Option<Recovery>,
}

impl Framer {
    /// At the start of a connection.
    pub fn new(limits: Limits) -> Self {
        Self { pending: Vec::new(), at: 0, lexer: Lexer::default(), draft: Draft::new(limits), recovery: None }
    }

    /// Takes bytes from the client.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.pending.drain(..self.at);
            self.at = 0;
        }
        self.pending.extend_from_slice(bytes);
    }

    /// The next complete message, or `None` when more bytes are needed.
    #[expect(clippy::should_implement_trait, reason = "not an iterator: there can be more after `None`")]
    pub fn next(&mut self) -> Option<Message> {
        while self.at < self.pending.len() {
            self.at += self.lexer.skip_gap(&self.pending[self.at..]);
            let rest = &self.pending[self.at..];
            let (used, lexeme) = self.lexer.read(rest);
            self.at += used;
            let stored = if self.recovery.is_none() { self.draft.store(&rest[..used]) } else { Ok(()) };
            if let Some(message) = self.lexeme(stored, lexeme) {
                return Some(message);
            }
        }
        self.pending.clear();
        self.pending.shrink_to(KEPT);
        self.at = 0;
        None
    }

    /// Whether more than a mebibyte of a message is here, and not its end.
    pub fn is_within_large(&self) -> bool {
        self.draft.is_large()
    }

    /// Whether a large message has taken memory since this was asked last, other than what was kept for it.
    pub fn took_memory(&mut self) -> bool {
        std::mem::take(&mut self.draft.took_memory)
    }

    /// Whether the memory of a large request is kept for the next one.
    pub fn keeps_memory(&self) -> bool {
        self.draft.spare.size() > 0
    }

    /// Gives that memory back. Call it when no request comes.
    pub fn give_back(&mut self) {
        self.draft.spare.clear();
    }

    /// Bytes of memory set aside for what was pushed, for the message being received, and for the next one. Without unread bytes it
    /// is at most twice [`Limits::token_bytes`], and 128 KiB.
    pub fn buffered(&self) -> usize {
        self.pending.capacity() + self.draft.buffered()
    }

    /// Goes on after some bytes: a token or a stray is complete, or neither yet.
    fn lexeme(&mut self, stored: Result<(), Fault>, lexeme: Option<Lexeme>) -> Option<Message> {
        let beyond_limit = stored.err().map(|fault| self.refuse(&fault));
        match lexeme {
            None => beyond_limit,
            Some(Lexeme::Token(token)) => {
                let message = match &self.recovery {
                    Some(_) => beyond_limit,
                    None => self.draft.take(token).unwrap_or_else(|fault| Some(self.refuse(&fault))),
                };
                self.eat(token);
                message
            }
            Some(Lexeme::Stray) => {
                let message = match self.recovery.take() {
                    Some(_) => beyond_limit,
                    None => Some(self.reject(&SyntaxFault::Stray(self.draft.shown()).into())),
                };
                self.draft.reset();
                message
            }
        }
    }

    /// The message being received is broken: answers it, and starts to eat what is left of it.
    fn refuse(&mut self, fault: &Fault) -> Message {
        self.recovery = Some(Recovery::new(self.draft.open_braces_and_brackets()));
        self.draft.reset();
        self.reject(fault)
    }

    fn reject(&self, fault: &Fault) -> Message {
        Message::Rejected(Rejected { desc: fault.desc(self.lexer.start()), id: None })
    }

    fn eat(&mut self, token: Token) {
        if self.recovery.as_mut().is_some_and(|recovery| recovery.eat(token)) {
            self.recovery = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One word per message: the command and id of a request, the text of a rejection.
    fn answers_of(framer: &mut Framer, input: &[u8]) -> Vec<String> {
        framer.push(input);
        let mut answers = Vec::new();
        while let Some(message) = framer.next() {
            answers.push(match message {
                Message::Request(request) => match request.id() {
                    Some(id) => format!("{} {}", request.execute(), id.as_str()),
                    None => request.execute().to_owned(),
                },
                Message::Rejected(rejected) => rejected.desc,
            });
        }
        answers
    }

    fn answers(input: &[u8]) -> Vec<String> {
        answers_of(&mut Framer::new(Limits::default()), input)
    }

    const PING: &str = r#"{"execute":"guest-ping"}"#;

    #[test]
    fn messages_need_no_separator() {
        assert_eq!(answers(PING.as_bytes()), ["guest-ping"]);
        assert_eq!(answers(format!("\r\n\t {PING}{PING}\n\n{PING}\n").as_bytes()), ["guest-ping"; 3]);
        assert_eq!(answers(b"   \r\n\t\n"), [""; 0]);
    }

    #[test]
    fn a_bare_number_or_word_needs_one_more_byte() {
        let mut framer = Framer::new(Limits::default());
        assert_eq!(answers_of(&mut framer, b"12"), [""; 0]);
        assert_eq!(answers_of(&mut framer, b"3\n"), ["QMP input must be a JSON object"]);
        assert_eq!(answers_of(&mut framer, b"null"), [""; 0]);
        assert_eq!(answers_of(&mut framer, b"{"), ["QMP input must be a JSON object"]);
    }

    #[test]
    fn ff_begins_afresh_wherever_it_comes() {
        for before in
            ["", "{", "{\"execute\":\"gue", "[[[[{\"a\":[", "{\"a\":1", "{\"a\":tru", "@@", "\"\\", "\"\\u12", "-"]
        {
            let mut input = before.as_bytes().to_vec();
            input.push(0xFF);
            input.extend_from_slice(PING.as_bytes());
            let answers = answers(&input);
            assert_eq!(answers.last().map(String::as_str), Some("guest-ping"), "{before}");
            assert!(answers[0].contains("JSON parse error, "), "{before}: {answers:?}");
        }
        assert_eq!(answers(b"\xFF\xFF\xFF\xFE").len(), 4);
    }

    #[test]
    fn one_error_for_a_broken_message() {
        assert_eq!(
            answers(br#"{"a":nul,"b":{"c":1}} {"execute":"guest-ping","id":1}"#),
            ["1:6: JSON parse error, invalid keyword 'nul'", "guest-ping 1"]
        );
        let broken = br#"{"a":nul {"execute":"guest-ping","id":1}
            {"execute":"guest-ping","id":2}"#;
        assert_eq!(answers(broken).len(), 1);
        // 0xFF ends it without an error of its own.
        assert_eq!(answers(b"{\"a\":nul \xFF{\"execute\":\"guest-ping\",\"id\":1}")[1..], ["guest-ping 1"]);
        assert_eq!(answers(b"[1}]{\"execute\":\"guest-ping\"}").len(), 3);
    }

    #[test]
    fn positions_count_from_the_start_of_the_connection() {
        let mut framer = Framer::new(Limits::default());
        assert_eq!(answers_of(&mut framer, b"\n\n\nx\n"), ["4:1: JSON parse error, invalid keyword 'x'"]);
        assert_eq!(answers_of(&mut framer, b"  y\n"), ["5:3: JSON parse error, invalid keyword 'y'"]);
        assert_eq!(answers_of(&mut framer, b" {\"id\":3,\"execute\":}"), ["6:20: JSON parse error, expecting value"]);
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let limits = Limits { token_bytes: 100_000, ..Limits::default() };
        for (start, filler) in
            [("", " "), ("{\"a\":", "\t\n"), ("[\"", "a"), ("[nul", "[\"x\","), ("[", "1,"), ("@", "@")]
        {
            let mut framer = Framer::new(limits);
            framer.push(start.as_bytes());
            let piece = filler.repeat(10_000);
            for _ in 0..100 {
                while framer.next().is_some() {}
                framer.push(piece.as_bytes());
            }
            while framer.next().is_some() {}
            assert!(framer.buffered() <= 2 * limits.token_bytes + 2 * KEPT, "{start}{filler}: {}", framer.buffered());
        }
    }

    #[test]
    fn memory_is_given_back() {
        let mut framer = Framer::new(Limits::default());
        for piece in [&b"{\"execute\":\""[..], &[b'a'; 1 << 20], &[b'a'; 1 << 20], b"\"}"] {
            assert_eq!(framer.next(), None);
            framer.push(piece);
        }
        assert!(framer.is_within_large());
        assert!(matches!(framer.next(), Some(Message::Request(request)) if request.execute().len() == 2 << 20));
        assert!(!framer.is_within_large());
        assert_eq!(framer.next(), None);
        framer.give_back();
        assert!(framer.buffered() <= KEPT);
    }
}
