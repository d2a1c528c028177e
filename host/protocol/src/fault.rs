//! Why a message is refused, in qemu-ga's words where it has some.

use crate::grammar::Expected;
use crate::lexer::Position;
use crate::string::EscapeFault;
use std::fmt;
use thiserror::Error;

/// Bytes of what the client sent that are repeated in an error: enough to find the place.
const SHOWN: usize = 40;

/// What is wrong with a message.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Fault {
    #[error(transparent)]
    Syntax(#[from] SyntaxFault),
    #[error(transparent)]
    Limit(#[from] LimitFault),
}

/// Not the JSON that we read.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum SyntaxFault {
    #[error("stray '{0}'")]
    Stray(Shown),
    #[error("invalid keyword '{0}'")]
    Word(Shown),
    #[error(transparent)]
    Expected(#[from] Expected),
    #[error("duplicate key")]
    DuplicateKey,
    #[error("invalid escape sequence in string")]
    Escape,
    #[error("\\u escape is not a valid Unicode character")]
    NotACharacter,
    #[error("invalid UTF-8 sequence in string")]
    Utf8,
}

/// Larger than [`Limits`](crate::Limits) allow.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum LimitFault {
    #[error("JSON token size limit exceeded")]
    TokenBytes,
    #[error("JSON token count limit exceeded")]
    Tokens,
    #[error("JSON nesting depth limit exceeded")]
    Depth,
}

impl Fault {
    /// The text of the error reply. `position` is where the token began that showed the fault.
    pub(crate) fn desc(&self, position: Position) -> String {
        match self {
            Self::Syntax(fault) => format!("{position}: JSON parse error, {fault}"),
            Self::Limit(fault) => fault.to_string(),
        }
    }
}

impl From<EscapeFault> for SyntaxFault {
    fn from(fault: EscapeFault) -> Self {
        match fault {
            EscapeFault::Unknown => Self::Escape,
            EscapeFault::NotACharacter | EscapeFault::Noncharacter => Self::NotACharacter,
        }
    }
}

/// The beginning of something that the client sent, fit to be repeated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown(String);

impl Shown {
    /// Bytes that are no UTF-8 become U+FFFD.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let shown = &bytes[..bytes.len().min(SHOWN)];
        Self(String::from_utf8_lossy(shown).into_owned())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_where_and_what() {
        let stray = Fault::from(SyntaxFault::Stray(Shown::new(b"\"guest-\xFF")));
        assert_eq!(stray.desc(Position::default()), "1:1: JSON parse error, stray '\"guest-\u{FFFD}'");
        let limit = Fault::from(LimitFault::Depth);
        assert_eq!(limit.desc(Position::default()), "JSON nesting depth limit exceeded");
    }

    #[test]
    fn no_more_than_the_beginning_is_repeated() {
        assert_eq!(Shown::new(&[b'a'; 1000]).to_string(), "a".repeat(SHOWN));
    }
}
