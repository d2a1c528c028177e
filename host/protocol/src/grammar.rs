//! Which token may come next.

use crate::lexer::Token;
use thiserror::Error;

/// The open braces and brackets of a message, and what it needs next.
#[derive(Debug, Default)]
pub(crate) struct Grammar {
    open: Vec<Container>,
    next: Next,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Object,
    Array,
}

#[derive(Clone, Copy, Debug, Default)]
enum Next {
    #[default]
    Value,
    /// After `[`: a value, or `]`.
    FirstValue,
    /// After `{`: a key, or `}`.
    FirstKey,
    Key,
    Colon,
    /// After a value inside something: `,`, or its end.
    Separator,
}

/// What a token turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `{` or `[` of a value.
    Opens,
    /// The end of a value that `{` or `[` began.
    Closes,
    /// A key of an object.
    Key,
    /// A value of one token.
    Scalar,
    /// `:` or `,`.
    Separator,
}

/// What should have been there instead. The words are qemu-ga's.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Expected {
    #[error("expecting value")]
    Value,
    #[error("expecting key")]
    Key,
    #[error("expecting ':'")]
    Colon,
    #[error("expected ',' or '}}'")]
    ObjectSeparator,
    #[error("expected ',' or ']'")]
    ArraySeparator,
}

impl Grammar {
    /// How many braces and brackets are open. A value at depth 0 completes the message.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// How many of the open ones are braces, and how many brackets.
    pub(crate) fn open_braces_and_brackets(&self) -> (usize, usize) {
        let braces = self.open.iter().filter(|&&container| container == Container::Object).count();
        (braces, self.open.len() - braces)
    }

    /// Whether the next token can be a key.
    pub(crate) fn may_be_key(&self) -> bool {
        matches!(self.next, Next::FirstKey | Next::Key)
    }

    /// Takes the next token, or leaves everything as it was.
    pub(crate) fn accept(&mut self, token: Token) -> Result<Role, Expected> {
        let within = self.open.last().copied();
        match (self.next, token) {
            (Next::FirstKey, Token::ObjectClose) | (Next::FirstValue, Token::ArrayClose) => Ok(self.close()),
            (Next::Value | Next::FirstValue, Token::ObjectOpen) => Ok(self.open(Container::Object, Next::FirstKey)),
            (Next::Value | Next::FirstValue, Token::ArrayOpen) => Ok(self.open(Container::Array, Next::FirstValue)),
            (Next::Value | Next::FirstValue, Token::String(_) | Token::Number | Token::Word { .. }) => {
                self.value_ended();
                Ok(Role::Scalar)
            }
            (Next::Value | Next::FirstValue, _) => Err(Expected::Value),
            (Next::Key | Next::FirstKey, Token::String(_)) => {
                self.next = Next::Colon;
                Ok(Role::Key)
            }
            (Next::Key | Next::FirstKey, _) => Err(Expected::Key),
            (Next::Colon, Token::Colon) => {
                self.next = Next::Value;
                Ok(Role::Separator)
            }
            (Next::Colon, _) => Err(Expected::Colon),
            (Next::Separator, Token::Comma) => {
                self.next = if within == Some(Container::Object) { Next::Key } else { Next::Value };
                Ok(Role::Separator)
            }
            (Next::Separator, token) => match (within, token) {
                (Some(Container::Object), Token::ObjectClose) | (Some(Container::Array), Token::ArrayClose) => {
                    Ok(self.close())
                }
                (Some(Container::Object), _) => Err(Expected::ObjectSeparator),
                (_, _) => Err(Expected::ArraySeparator),
            },
        }
    }

    /// Starts anew, for the next message.
    pub(crate) fn reset(&mut self) {
        self.open.clear();
        self.next = Next::Value;
    }

    fn open(&mut self, container: Container, next: Next) -> Role {
        self.open.push(container);
        self.next = next;
        Role::Opens
    }

    fn close(&mut self) -> Role {
        self.open.pop();
        self.value_ended();
        Role::Closes
    }

    /// At depth 0 the next message may follow at once.
    fn value_ended(&mut self) {
        self.next = if self.open.is_empty() { Next::Value } else { Next::Separator };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::string::StringFacts;

    /// One character per token: `s` a string, `1` a number.
    fn tokens(text: &str) -> impl Iterator<Item = Token> {
        text.chars().map(|character| match character {
            '{' => Token::ObjectOpen,
            '}' => Token::ObjectClose,
            '[' => Token::ArrayOpen,
            ']' => Token::ArrayClose,
            ':' => Token::Colon,
            ',' => Token::Comma,
            's' => Token::String(StringFacts::default()),
            _ => Token::Number,
        })
    }

    fn outcome(text: &str) -> Result<usize, Expected> {
        let mut grammar = Grammar::default();
        tokens(text).try_for_each(|token| grammar.accept(token).map(drop)).map(|()| grammar.depth())
    }

    #[test]
    fn values() {
        for text in ["1", "s", "{}", "[]", "{s:1}", "{s:s,s:{s:[1,[],{}]}}", "[[1],s]"] {
            assert_eq!(outcome(text), Ok(0), "{text}");
        }
        assert_eq!(outcome("{s:[1,"), Ok(2));
    }

    #[test]
    fn each_mistake_by_its_name() {
        for text in [",", ":", "}", "]", "{s:}", "[1,]", "[,", "{s:,"] {
            assert_eq!(outcome(text), Err(Expected::Value), "{text}");
        }
        for text in ["{]", "{1:1}", "{,", "{s:1,}", "{[", "{s:1,1"] {
            assert_eq!(outcome(text), Err(Expected::Key), "{text}");
        }
        for text in ["{s}", "{s,", "{s1", "{s{"] {
            assert_eq!(outcome(text), Err(Expected::Colon), "{text}");
        }
        assert_eq!(outcome("{s:1]").map_err(|e| e.to_string()), Err("expected ',' or '}'".into()));
        assert_eq!(outcome("{s:1s").map_err(|e| e.to_string()), Err("expected ',' or '}'".into()));
        assert_eq!(outcome("[1}").map_err(|e| e.to_string()), Err("expected ',' or ']'".into()));
        assert_eq!(outcome("[11").map_err(|e| e.to_string()), Err("expected ',' or ']'".into()));
    }
}
