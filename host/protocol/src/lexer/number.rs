//! Numbers, as RFC 8259 spells them.

use super::{Lexeme, Token};

/// How far a number has got: what its last byte was.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Minus,
    /// A single leading zero, which no digit may follow.
    Zero,
    Integer,
    Point,
    Fraction,
    /// `e` or `E`.
    Mark,
    /// The sign of the exponent.
    Sign,
    Exponent,
}

impl Number {
    /// A number starting with `byte`.
    pub(crate) fn begin(byte: u8) -> Option<Self> {
        match byte {
            b'-' => Some(Self::Minus),
            b'0' => Some(Self::Zero),
            b'1'..=b'9' => Some(Self::Integer),
            _ => None,
        }
    }

    /// Takes what belongs to the number. It is complete only when something else follows.
    pub(crate) fn feed(&mut self, input: &[u8]) -> (usize, Option<Lexeme>) {
        for (index, &byte) in input.iter().enumerate() {
            *self = match (*self, byte) {
                (Self::Minus, b'0') => Self::Zero,
                (Self::Minus, b'1'..=b'9') => Self::Integer,
                (Self::Integer, b'0'..=b'9') => Self::Integer,
                (Self::Zero | Self::Integer, b'.') => Self::Point,
                (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
                (Self::Zero | Self::Integer | Self::Fraction, b'e' | b'E') => Self::Mark,
                (Self::Mark, b'+' | b'-') => Self::Sign,
                (Self::Mark | Self::Sign | Self::Exponent, b'0'..=b'9') => Self::Exponent,
                (Self::Zero, b'0'..=b'9') | (Self::Minus | Self::Point | Self::Mark | Self::Sign, _) => {
                    return (index + 1, Some(Lexeme::Stray));
                }
                (Self::Zero | Self::Integer | Self::Fraction | Self::Exponent, _) => {
                    return (index, Some(Lexeme::Token(Token::Number)));
                }
            };
        }
        (input.len(), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How the number that `text` starts with ends, and after how many bytes.
    fn end(text: &str) -> (usize, bool) {
        let mut number = Number::begin(text.as_bytes()[0]).unwrap();
        let (used, lexeme) = number.feed(&text.as_bytes()[1..]);
        (used + 1, lexeme.unwrap() == Lexeme::Token(Token::Number))
    }

    #[test]
    fn good_numbers_leave_the_byte_behind_them() {
        for text in ["0", "-0", "10", "1.5", "-0.25", "1e3", "1E+22", "2.5e-7", "0e0", "123456789012345678901234567890"]
        {
            assert_eq!(end(&format!("{text},")), (text.len(), true), "{text}");
        }
    }

    #[test]
    fn bad_numbers_swallow_the_byte_that_breaks_them() {
        for text in ["01", "-a", "1.e", "1e,", "1e+]", "00", "--"] {
            assert_eq!(end(text), (text.len(), false), "{text}");
        }
    }
}
