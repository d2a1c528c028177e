//! Taking apart what was found to be JSON: for whoever keeps a record of a request, or reads one.

use crate::grammar::{Grammar, Role};
use crate::lexer::{Lexeme, Lexer, Token};
use crate::text::unescaped;

/// The members of an object, or the elements of a list, in order. The lexer and the grammar are those that let the text
/// in, so there is no second reading of it to disagree with.
///
/// Of a text that is not JSON it gives what stands before the mistake; of a text that is neither object nor list nothing.
#[derive(Debug)]
pub struct Parts<'a> {
    text: &'a str,
    at: usize,
    lexer: Lexer,
    grammar: Grammar,
}

/// A member of an object, or an element of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The contents of the key, escapes and all (see [`meaning`]); empty for an element.
    pub name: &'a str,
    /// The text of the value.
    pub value: &'a str,
}

impl<'a> Parts<'a> {
    /// Of the text of one value.
    pub fn of(text: &'a str) -> Self {
        Parts { text, at: 0, lexer: Lexer::default(), grammar: Grammar::default() }
    }

    /// The next token, where it stands, and what it is here.
    fn token(&mut self) -> Option<(Role, &'a str, usize)> {
        let bytes = self.text.as_bytes();
        self.at += self.lexer.skip_gap(&bytes[self.at..]);
        let start = self.at;
        let (used, lexeme) = self.lexer.read(&bytes[start..]);
        self.at += used;
        let Some(Lexeme::Token(token)) = lexeme else { return None };
        let role = match token {
            Token::Word { known: false } => return None,
            token => self.grammar.accept(token).ok()?,
        };
        Some((role, self.text.get(start..self.at)?, start))
    }

    /// The next part, or nothing at the end and after a mistake.
    fn part(&mut self) -> Option<Part<'a>> {
        let (mut name, mut begin) = ("", None);
        loop {
            let (role, text, start) = self.token()?;
            match (role, self.grammar.depth()) {
                (Role::Key, 1) => name = contents(text)?,
                (Role::Scalar, 1) => return Some(Part { name, value: text }),
                (Role::Opens, 2) => begin = Some(start),
                (Role::Closes, 1) => return Some(Part { name, value: self.text.get(begin?..self.at)? }),
                (_, 0) => return None,
                _ => {}
            }
        }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let part = self.part();
        if part.is_none() {
            // What comes after an end is not part of this value.
            self.text = "";
            self.at = 0;
        }
        part
    }
}

/// What stands between the quotes of a string; nothing if `value` is no string.
pub fn contents(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"')
}

/// The characters that the contents of a string mean.
pub fn meaning(contents: &str) -> impl Iterator<Item = char> + '_ {
    unescaped(contents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Framer, Limits, Message};

    fn parts(text: &str) -> Vec<(&str, &str)> {
        Parts::of(text).map(|part| (part.name, part.value)).collect()
    }

    #[test]
    fn members_and_elements_in_order() {
        assert_eq!(
            parts(r#"{"a":1,"b\"":"x,}","c":{"d":[1,{}]},"e":[],"f":null}"#),
            [("a", "1"), ("b\\\"", r#""x,}""#), ("c", r#"{"d":[1,{}]}"#), ("e", "[]"), ("f", "null")]
        );
        assert_eq!(parts(r#"["a",-1.5e3,[[2]],{"a":1},true]"#).len(), 5);
        assert_eq!(parts(r#" { "a" : [ 1 ] , "b":2 } "#), [("a", "[ 1 ]"), ("b", "2")]);
    }

    #[test]
    fn what_is_neither_object_nor_list_has_no_parts() {
        for text in ["", "1", "\"a\"", "null", "{}", "[]", " ", "}", "[,", "{1"] {
            assert!(parts(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_mistake_ends_it() {
        assert_eq!(parts(r#"[1,2 3]"#), [("", "1"), ("", "2")]);
        assert_eq!(parts(r#"{"a":1}{"b":2}"#), [("a", "1")]);
        assert_eq!(parts(r#"["a"#), []);
        assert_eq!(parts("[nul,1]"), []);
        assert_eq!(parts("[1,\u{e9}]"), [("", "1")]);
    }

    #[test]
    fn strings_mean_what_their_escapes_say() {
        let text: String = meaning(contents(r#""p\u0061th\n""#).unwrap()).collect();
        assert_eq!(text, "path\n");
        assert_eq!(contents("12"), None);
        assert_eq!(contents("\""), None);
    }

    /// Whatever is let in can be taken apart and put together again: nothing is missed, nothing made up.
    #[test]
    fn every_accepted_text_is_the_sum_of_its_parts() {
        let tokens = ["{", "}", "[", "]", ":", ",", "\"a\"", "\"\\\"}\"", "'q'", "\"\\u0000\"", "-0.5e1", "true", " "];
        let mut seen = 0;
        let mut state = 1_u64;
        for _ in 0..400_000 {
            let mut sent = String::from("{\"execute\":\"x\",\"arguments\":{\"k\":");
            for _ in 0..7 {
                // A generator of Knuth's: any spread does here.
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                sent += tokens[(state >> 33) as usize % tokens.len()];
            }
            sent += "}}";
            let mut framer = Framer::new(Limits::default());
            framer.push(sent.as_bytes());
            let Some(Message::Request(request)) = framer.next() else { continue };
            let members: Vec<String> =
                Parts::of(request.arguments()).map(|part| format!("\"{}\":{}", part.name, part.value)).collect();
            assert_eq!(format!("{{{}}}", members.join(",")), request.arguments(), "{sent}");
            seen += 1;
        }
        assert!(seen > 50, "only {seen} texts were accepted");
    }
}
