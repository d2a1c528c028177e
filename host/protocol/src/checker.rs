//! What a guest module returns is checked before it reaches the client.

use crate::grammar::{Grammar, Role};
use crate::lexer::{Lexeme, Lexer, Token};
use crate::scan::is_one_ascii_line;
use crate::string::{EscapeFault, StringFacts};
use crate::unique::UniqueKeys;
use thiserror::Error;

/// Braces and brackets that may be open in a return at the same time. Bounds the recursion of the client's parser, as
/// [`Limits::depth`](crate::Limits::depth) bounds that of ours; no command returns more than five.
const DEPTH: usize = 1024;

/// Checks that the text of a return is exactly one JSON value of RFC 8259, in one line of ASCII, so that a hostile
/// module can neither forge a second reply nor leave the client waiting for the end of the first. A lone half of a
/// surrogate pair is refused too, as clients cannot read it.
///
/// The text may come in pieces, cut anywhere. Nothing of it is stored, but the keys of objects that are open if they must be unique.
#[derive(Debug, Default)]
pub struct ReturnChecker {
    lexer: Lexer,
    grammar: Grammar,
    complete: bool,
    failed: Option<NotOneValue>,
    keys: Option<Box<UniqueKeys>>,
}

/// Why a text cannot be a return.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NotOneValue {
    /// A line break, another control character, or a byte outside ASCII.
    #[error("the return is not one line of ASCII")]
    NotOneLine,
    /// Not JSON, or more JSON after the value.
    #[error("the return is not one JSON value")]
    Malformed,
    /// Brackets in brackets in brackets.
    #[error("the return is nested deeper than {DEPTH} levels")]
    TooDeep,
    /// An object has a key twice: of two readers each could take another one.
    #[error("the return has an object with the same key twice")]
    DuplicateKey,
    /// Objects with very many keys.
    #[error("the return has too many keys to tell whether one comes twice")]
    TooManyKeys,
    /// It ended before the value did.
    #[error("the return ends before its JSON value does")]
    Unfinished,
}

impl ReturnChecker {
    /// One that refuses objects that have a key twice. The built-in modules write none, and need not be looked at so closely.
    pub fn with_unique_keys() -> Self {
        ReturnChecker { keys: Some(Box::default()), ..Self::default() }
    }

    /// Looks at the next piece. After an error everything is an error.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), NotOneValue> {
        if let Some(fault) = self.failed {
            return Err(fault);
        }
        self.check(piece).inspect_err(|&fault| self.failed = Some(fault))
    }

    /// Some base64 comes next, at least one character of it. Ok inside a string, where all of it means the same to JSON.
    pub fn feed_base64(&mut self) -> Result<(), NotOneValue> {
        let is_key = self.keys.is_some() && self.grammar.may_be_key();
        if self.lexer.is_inside_string() && !is_key {
            return self.feed(b"A");
        }
        Err(*self.failed.get_or_insert(NotOneValue::Malformed))
    }

    /// There is no more. Ok if what was fed is one whole value.
    pub fn finish(&mut self) -> Result<(), NotOneValue> {
        // A number or a word is complete only when something else follows.
        self.feed(b" ")?;
        if self.complete { Ok(()) } else { Err(NotOneValue::Unfinished) }
    }

    fn check(&mut self, piece: &[u8]) -> Result<(), NotOneValue> {
        if !is_one_ascii_line(piece) {
            return Err(NotOneValue::NotOneLine);
        }
        let mut at = 0;
        while at < piece.len() {
            at += self.lexer.skip_gap(&piece[at..]);
            if self.complete && at < piece.len() {
                return Err(NotOneValue::Malformed);
            }
            let (used, lexeme) = self.lexer.read(&piece[at..]);
            if let Some(keys) = self.keys.as_mut().filter(|_| self.grammar.may_be_key()) {
                keys.hear(&piece[at..at + used]);
            }
            at += used;
            match lexeme {
                None => {}
                Some(Lexeme::Stray) => return Err(NotOneValue::Malformed),
                Some(Lexeme::Token(token)) => self.take(token)?,
            }
        }
        Ok(())
    }

    fn take(&mut self, token: Token) -> Result<(), NotOneValue> {
        let strict = match token {
            Token::String(facts) => is_strict(facts),
            Token::Word { known } => known,
            _ => true,
        };
        if !strict {
            return Err(NotOneValue::Malformed);
        }
        let role = self.grammar.accept(token).map_err(|_| NotOneValue::Malformed)?;
        if self.grammar.depth() > DEPTH {
            return Err(NotOneValue::TooDeep);
        }
        if let Some(keys) = &mut self.keys {
            keys.take(token, role)?;
        }
        self.complete = matches!(role, Role::Scalar | Role::Closes) && self.grammar.depth() == 0;
        Ok(())
    }
}

/// Without QEMU's extensions. What Unicode calls noncharacters may be there: only QEMU refuses them.
fn is_strict(facts: StringFacts) -> bool {
    !facts.extended && matches!(facts.fault, None | Some(EscapeFault::Noncharacter))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict on `text`, which must be the same in one piece and in single bytes.
    fn check(text: &[u8]) -> Result<(), NotOneValue> {
        let mut whole = ReturnChecker::default();
        let verdict = whole.feed(text).and_then(|()| whole.finish());
        let mut bytes = ReturnChecker::default();
        let verdict_of_bytes = text.chunks(1).try_for_each(|byte| bytes.feed(byte)).and_then(|()| bytes.finish());
        assert_eq!(verdict.is_ok(), verdict_of_bytes.is_ok());
        verdict
    }

    #[test]
    fn one_value_is_fine() {
        for text in [
            "{}",
            " [1, -0.5e3, true, null]\t",
            "12",
            "null",
            r#""""#,
            r#""\u00E9\ud83d\ude00 \uFFFF \" \/ ~""#,
            r#"{"a": {"a": 1}, "a": 2}"#,
            "1e999",
        ] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_second_reply_cannot_be_forged() {
        for text in
            ["{}, \"id\": 1", "{}}", "1} {\"return\": 2", "1, 2", "1 2", "{}{}", "\"\"\"\"", "\"T\"\"", "{} \"", "1 -"]
        {
            assert_eq!(check(text.as_bytes()), Err(NotOneValue::Malformed), "{text}");
        }
        for text in [&b"1\n"[..], b"{}}\n{\"return\": 2", b"[\r]", b"\"\xC3\xA9\"", b"\xFF", b"\"\x01\""] {
            assert_eq!(check(text), Err(NotOneValue::NotOneLine), "{text:?}");
        }
    }

    #[test]
    fn the_client_is_not_left_waiting() {
        for text in ["", " ", "{", "[1", "[1,", "{\"a\"", "{\"a\":", "\"abc", "\"abc\\"] {
            assert_eq!(check(text.as_bytes()), Err(NotOneValue::Unfinished), "{text}");
        }
    }

    #[test]
    fn only_strict_json() {
        for text in ["'a'", r#""\'""#, r#""\x""#, r#""\u12""#, r#""\ud83d""#, "nul", "01", "1.", "-", "\"\t\"", "{1:2}"]
        {
            assert_eq!(check(text.as_bytes()), Err(NotOneValue::Malformed), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check(nested(DEPTH).as_bytes()), Ok(()));
        assert_eq!(check(nested(DEPTH + 1).as_bytes()), Err(NotOneValue::TooDeep));
    }

    #[test]
    fn an_error_stays() {
        let mut checker = ReturnChecker::default();
        assert_eq!(checker.feed(b"}"), Err(NotOneValue::Malformed));
        assert_eq!(checker.feed(b"1"), Err(NotOneValue::Malformed));
        assert_eq!(checker.finish(), Err(NotOneValue::Malformed));
    }
}
