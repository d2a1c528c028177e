//! The message being received.

use crate::Limits;
use crate::duplicates::Keys;
use crate::envelope::Envelope;
use crate::fault::{Fault, LimitFault, Shown, SyntaxFault};
use crate::grammar::{Grammar, Role};
use crate::lexer::Token;
use crate::message::Message;
use crate::rewrite::{check_utf8, rewrite};
use crate::spare::{LARGE, Spare};
use crate::string::StringFacts;
use std::sync::Arc;

/// Memory that a draft may keep for the next message.
const KEPT: usize = 64 << 10;

/// The first memory a draft takes: most requests fit.
const FIRST: usize = 256;

/// A message of which some tokens are there: their text without the white space between them, and what is known of it.
#[derive(Debug)]
pub(crate) struct Draft {
    limits: Limits,
    /// Strict JSON, but for the token that is being received.
    text: Vec<u8>,
    /// For the next message, when this one has gone.
    pub(crate) spare: Spare,
    /// A large message has taken memory that was not spare.
    pub(crate) took_memory: bool,
    /// Where in `text` that token begins.
    token_start: usize,
    /// Bytes received of all tokens. Not the length of `text`, where strings may have been rewritten.
    received: usize,
    tokens: usize,
    grammar: Grammar,
    keys: Keys,
    envelope: Envelope,
}

impl Draft {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            text: Vec::new(),
            spare: Spare::default(),
            took_memory: false,
            token_start: 0,
            received: 0,
            tokens: 0,
            grammar: Grammar::default(),
            keys: Keys::default(),
            envelope: Envelope::default(),
        }
    }

    /// Keeps the next bytes of a token.
    pub(crate) fn store(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.received = self.received.saturating_add(bytes.len());
        let wanted = self.text.len() + bytes.len();
        if self.received.max(wanted) > self.limits.token_bytes {
            return Err(LimitFault::TokenBytes.into());
        }
        if wanted > self.text.capacity() {
            self.grow(wanted);
        }
        self.text.extend_from_slice(bytes);
        Ok(())
    }

    /// Takes the token whose bytes have been stored. Tells the message if it is complete, and is empty then. After
    /// a fault the brackets that were open before the token are still known, until [`Draft::reset`].
    pub(crate) fn take(&mut self, token: Token) -> Result<Option<Message>, Fault> {
        self.tokens += 1;
        if self.tokens > self.limits.tokens {
            return Err(LimitFault::Tokens.into());
        }
        if matches!(token, Token::ObjectOpen | Token::ArrayOpen) && self.grammar.depth() >= self.limits.depth {
            return Err(LimitFault::Depth.into());
        }
        let role = self.grammar.accept(token).map_err(SyntaxFault::from)?;
        match token {
            Token::String(facts) => self.settle_string(facts, role)?,
            Token::Number => self.settle_number(),
            Token::Word { known: false } => {
                return Err(SyntaxFault::Word(Shown::new(&self.text[self.token_start..])).into());
            }
            _ => {}
        }
        self.note(token, role)?;
        self.token_start = self.text.len();
        Ok((matches!(role, Role::Scalar | Role::Closes) && self.grammar.depth() == 0).then(|| self.complete()))
    }

    /// Bytes of memory set aside for the text, and of what is kept for the next one.
    pub(crate) fn buffered(&self) -> usize {
        self.text.capacity() + self.spare.size()
    }

    /// Whether much of it is there.
    pub(crate) fn is_large(&self) -> bool {
        self.text.len() >= LARGE
    }

    /// The beginning of the token being received.
    pub(crate) fn shown(&self) -> Shown {
        Shown::new(&self.text[self.token_start..])
    }

    /// How many braces and brackets are open.
    pub(crate) fn open_braces_and_brackets(&self) -> (usize, usize) {
        self.grammar.open_braces_and_brackets()
    }

    /// Forgets the message, and gives memory back.
    pub(crate) fn reset(&mut self) {
        self.text.clear();
        self.text.shrink_to(KEPT);
        self.token_start = 0;
        self.received = 0;
        self.tokens = 0;
        self.grammar.reset();
        self.keys.reset();
        self.envelope = Envelope::default();
    }

    /// Makes room for `wanted` bytes in all.
    fn grow(&mut self, wanted: usize) {
        if wanted >= LARGE
            && let Some(mut spare) = self.spare.take()
        {
            spare.extend_from_slice(&self.text);
            self.text = spare;
        }
        if wanted > self.text.capacity() {
            self.took_memory |= wanted >= LARGE;
            // Doubled, so that growing costs no more than a copy in all, but not beyond what can ever be used.
            let capacity = wanted.max(2 * self.text.capacity()).max(FIRST).min(self.limits.token_bytes);
            self.text.reserve_exact(capacity - self.text.len());
        }
    }

    /// Remembers where keys and members are.
    fn note(&mut self, token: Token, role: Role) -> Result<(), SyntaxFault> {
        let place = self.token_start..self.text.len();
        let depth = self.grammar.depth();
        match (role, token) {
            (Role::Key, _) => {
                match depth {
                    1 => self.envelope.key(&self.text, place.clone()),
                    2 => self.envelope.inner_key(place.clone()),
                    _ => {}
                }
                if !self.keys.insert(&self.text, place) {
                    return Err(SyntaxFault::DuplicateKey);
                }
            }
            (Role::Scalar, _) if depth == 1 => {
                self.envelope.value_begins(place.start);
                self.envelope.value_ends(place.end);
            }
            (Role::Scalar, Token::String(facts)) if depth == 2 => {
                // What is rewritten may have got escapes by that.
                let escaped = facts.escaped || facts.extended || facts.non_ascii;
                self.envelope.inner_string(place, escaped, facts.base64.filter(|_| !escaped));
            }
            (Role::Opens, opening) => {
                if depth == 2 {
                    self.envelope.value_begins(place.start);
                }
                if opening == Token::ObjectOpen {
                    self.keys.open();
                }
            }
            (Role::Closes, closing) => {
                if closing == Token::ObjectClose {
                    self.keys.close();
                }
                if depth == 1 {
                    self.envelope.value_ends(place.end);
                }
            }
            (Role::Scalar | Role::Separator, _) => {}
        }
        Ok(())
    }

    /// Checks a string, and rewrites it where RFC 8259 spells it otherwise. Keys are also rewritten if they hold
    /// an escape, so that equal keys are spelt alike.
    fn settle_string(&mut self, facts: StringFacts, role: Role) -> Result<(), Fault> {
        if let Some(fault) = facts.fault {
            return Err(SyntaxFault::from(fault).into());
        }
        let contents = &self.text[self.token_start + 1..self.text.len() - 1];
        let strict = !facts.non_ascii || check_utf8(contents)?;
        if strict && !facts.extended && !(role == Role::Key && facts.escaped) {
            return Ok(());
        }
        let room = self.limits.token_bytes.saturating_sub(self.token_start + 2);
        let rewritten = rewrite(contents, room)?;
        self.text.truncate(self.token_start);
        self.text.push(b'"');
        self.text.extend_from_slice(rewritten.as_bytes());
        self.text.push(b'"');
        Ok(())
    }

    /// QEMU reads `-0` as the integer 0; JSON parsers at large read a floating-point number.
    fn settle_number(&mut self) {
        if self.text[self.token_start..] == *b"-0" {
            self.text.remove(self.token_start);
        }
    }

    fn complete(&mut self) -> Message {
        let text = std::mem::take(&mut self.text);
        let envelope = std::mem::take(&mut self.envelope);
        self.reset();
        let text = Arc::new(text);
        self.spare.keep(&text);
        envelope.into_message(text)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Framer, Limits, Message};

    fn is_duplicate(input: &str) -> bool {
        let mut framer = Framer::new(Limits::default());
        framer.push(input.as_bytes());
        matches!(framer.next(), Some(Message::Rejected(rejected)) if rejected.desc.ends_with("duplicate key"))
    }

    #[test]
    fn keys_are_compared_by_what_they_mean() {
        for input in [
            r#"{"execute":"x","execute":"x"}"#,
            r#"{"arguments":{"id":1,"id":2}}"#,
            r#"[{"a":1,"\u0061":2}]"#,
            r#"{"\/":1,'/':2}"#,
            r#"{"é":1,"\u00E9":2}"#,
            r#"{"\u0000":1,"\u0000":2}"#,
        ] {
            assert!(is_duplicate(input), "{input}");
        }
        for input in [r#"{"a":{"a":{"a":1}}}"#, r#"[{"a":1},{"a":1}]"#, r#"{"a":1,"A":2}"#, r#"{"\n":1,"\\n":2}"#] {
            assert!(!is_duplicate(input), "{input}");
        }
    }

    #[test]
    fn a_million_tokens_of_keys_are_searched_by_hash() {
        // Key by key this would be a matter of minutes, which whoever runs the test would notice.
        let keys: Vec<_> = (0..250_000).map(|number| format!("\"k{number}\":0")).collect();
        assert!(!is_duplicate(&format!("{{{}}}", keys.join(","))));
        assert!(is_duplicate(&format!("{{{},\"k7\":0}}", keys.join(","))));
    }

    #[test]
    fn a_string_may_not_outgrow_the_limit_by_being_rewritten() {
        let mut framer = Framer::new(Limits { token_bytes: 40, ..Limits::default() });
        framer.push(b"['\xC0\x80\xC0\x80\xC0\x80\xC0\x80\xC0\x80\xC0\x80'][]");
        assert!(matches!(framer.next(), Some(Message::Rejected(one)) if one.desc.contains("must be a JSON object")));
        framer.push(b"['\xC0\x80\xC0\x80\xC0\x80\xC0\x80\xC0\x80\xC0\x80\xC0\x80']");
        assert!(matches!(framer.next(), Some(Message::Rejected(one)) if one.desc.contains("must be a JSON object")));
        assert!(matches!(framer.next(), Some(Message::Rejected(one)) if one.desc == "JSON token size limit exceeded"));
    }
}
