//! `true`, `false`, `null`, and other runs of small letters, which are none of them.

use super::{Lexeme, Token};

/// A word being read: what it may still become, and how much of that was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    candidate: &'static [u8],
    matched: usize,
}

impl Word {
    /// A word starting with `byte`.
    pub(crate) fn new(byte: u8) -> Self {
        let candidate: &[u8] = match byte {
            b't' => b"true",
            b'f' => b"false",
            b'n' => b"null",
            _ => b"",
        };
        Self { candidate, matched: 1 }
    }

    /// Takes what belongs to the word. It is complete only when something else follows.
    pub(crate) fn feed(&mut self, input: &[u8]) -> (usize, Option<Lexeme>) {
        for (index, &byte) in input.iter().enumerate() {
            if !byte.is_ascii_lowercase() {
                let known = self.matched == self.candidate.len();
                return (index, Some(Lexeme::Token(Token::Word { known })));
            }
            if self.candidate.get(self.matched) == Some(&byte) {
                self.matched += 1;
            } else {
                self.candidate = b"";
            }
        }
        (input.len(), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str) -> bool {
        let mut word = Word::new(text.as_bytes()[0]);
        let mut feed = |piece: &str| word.feed(piece.as_bytes());
        assert_eq!(feed(&text[1..]), (text.len() - 1, None));
        match feed(" ") {
            (0, Some(Lexeme::Token(Token::Word { known }))) => known,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn three_words_are_known() {
        for word in ["true", "false", "null"] {
            assert!(known(word), "{word}");
        }
        for word in ["nul", "nulll", "nuul", "truefalse", "x", "t", "nan"] {
            assert!(!known(word), "{word}");
        }
    }
}
