//! Bytes to tokens. Can stop after any byte and go on with the next, so that no piece of a message is read again when the next one
//! comes.

mod number;
mod position;
mod word;

use crate::scan::plain_run;
use crate::string::{StringEnd, StringFacts, StringLexer};
use number::Number;
pub(crate) use position::Position;
use word::Word;

/// A complete token. Its text is with the caller, if the caller kept it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    ObjectOpen,
    ObjectClose,
    ArrayOpen,
    ArrayClose,
    Colon,
    Comma,
    String(StringFacts),
    Number,
    /// A run of small letters; `known` if it is `true`, `false` or `null`.
    Word {
        known: bool,
    },
}

/// What came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lexeme {
    Token(Token),
    /// Something no token can be, the byte that showed it included. What follows is skipped up to a place where a
    /// message could start.
    Stray,
}

/// Where in the stream of tokens we are.
#[derive(Debug, Default)]
pub(crate) struct Lexer {
    state: State,
    here: Position,
    /// Where the token began that is being read, or was read last.
    start: Position,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Between,
    /// After a stray: skipping.
    Lost,
    String(StringLexer),
    Number(Number),
    Word(Word),
}

impl Lexer {
    /// Where the token began that is being read, or was read last.
    pub(crate) fn start(&self) -> Position {
        self.start
    }

    /// Whether the next byte is one of a string, and not of an escape in it.
    pub(crate) fn is_inside_string(&self) -> bool {
        matches!(&self.state, State::String(string) if string.is_plain())
    }

    /// How many bytes at the start of `input` belong to no token: white space, and what is skipped after a stray.
    pub(crate) fn skip_gap(&mut self, input: &[u8]) -> usize {
        let mut length = 0;
        for &byte in input {
            match self.state {
                State::Lost if ends_skipping(byte) => self.state = State::Between,
                State::Lost => {}
                State::Between => {}
                _ => break,
            }
            if matches!(self.state, State::Between) && !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                break;
            }
            self.here.pass(byte);
            length += 1;
        }
        length
    }

    /// Reads on, after [`Lexer::skip_gap`]: how many bytes belong to the token, and the lexeme if it is complete.
    pub(crate) fn read(&mut self, input: &[u8]) -> (usize, Option<Lexeme>) {
        let (used, lexeme) = match &mut self.state {
            State::Between => {
                self.start = self.here;
                let Some((&first, rest)) = input.split_first() else { return (0, None) };
                if let Some((used, token)) = at_once(first, rest) {
                    self.here.advance(&input[..used]);
                    return (used, Some(Lexeme::Token(token)));
                }
                match self.begin(first) {
                    // On with the contents, without another round through the caller.
                    None => {
                        self.here.pass(first);
                        let (used, lexeme) = self.read(rest);
                        return (1 + used, lexeme);
                    }
                    lexeme => (1, lexeme),
                }
            }
            State::Lost => (0, None),
            State::String(string) => match string.feed(input) {
                (used, StringEnd::Later) => (used, None),
                (used, StringEnd::Closed) => (used, Some(Lexeme::Token(Token::String(string.facts())))),
                (used, StringEnd::Stray) => (used, Some(Lexeme::Stray)),
            },
            State::Number(number) => number.feed(input),
            State::Word(word) => word.feed(input),
        };
        // A line break can only be the byte that makes a token a stray, so the last one.
        self.here.advance(&input[..used]);
        match lexeme {
            Some(Lexeme::Token(_)) => self.state = State::Between,
            Some(Lexeme::Stray) => self.state = State::Lost,
            None => {}
        }
        (used, lexeme)
    }

    /// The first byte of a token, which may be all of it.
    fn begin(&mut self, byte: u8) -> Option<Lexeme> {
        let token = match byte {
            b'{' => Token::ObjectOpen,
            b'}' => Token::ObjectClose,
            b'[' => Token::ArrayOpen,
            b']' => Token::ArrayClose,
            b':' => Token::Colon,
            b',' => Token::Comma,
            b'"' | b'\'' => {
                self.state = State::String(StringLexer::new(byte));
                return None;
            }
            b'a'..=b'z' => {
                self.state = State::Word(Word::new(byte));
                return None;
            }
            _ => {
                let Some(number) = Number::begin(byte) else { return Some(Lexeme::Stray) };
                self.state = State::Number(number);
                return None;
            }
        };
        Some(Lexeme::Token(token))
    }
}

/// How long a string may be, in bytes, to be read at once. The beginning of a longer one is looked at twice.
const AT_ONCE: usize = 64;

/// What nearly all tokens are, if it ends in `rest`: a short string without escapes, or one of the three words. It says what
/// the states say, and needs none.
fn at_once(first: u8, rest: &[u8]) -> Option<(usize, Token)> {
    match first {
        b'"' => {
            let (run, non_ascii) = plain_run(&rest[..rest.len().min(AT_ONCE)], b'"');
            let is_whole = rest.get(run) == Some(&b'"');
            is_whole.then(|| (run + 2, Token::String(StringFacts { non_ascii, ..StringFacts::default() })))
        }
        b't' => known_word(rest, b"rue"),
        b'f' => known_word(rest, b"alse"),
        b'n' => known_word(rest, b"ull"),
        _ => None,
    }
}

/// The word, if it ends in `rest`.
fn known_word(rest: &[u8], word: &[u8]) -> Option<(usize, Token)> {
    let after = rest.strip_prefix(word)?.first()?;
    (!after.is_ascii_lowercase()).then_some((1 + word.len(), Token::Word { known: true }))
}

/// After a stray, bytes are skipped up to structure, a line break or another control character (the tab is none), or
/// a byte that resets; quotes and letters are skipped, as they may well be the rest of what went wrong.
fn ends_skipping(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b'[' | b']' | b':' | b',' | 0xFE..) || (byte < 0x20 && byte != b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lexemes of `input`, each with its text, read in pieces of `size` bytes.
    fn lex(input: &[u8], size: usize) -> Vec<(String, bool)> {
        let mut lexer = Lexer::default();
        let (mut lexemes, mut text) = (Vec::new(), Vec::new());
        for piece in input.chunks(size) {
            let mut at = 0;
            while at < piece.len() {
                at += lexer.skip_gap(&piece[at..]);
                let (used, lexeme) = lexer.read(&piece[at..]);
                text.extend_from_slice(&piece[at..at + used]);
                at += used;
                if let Some(lexeme) = lexeme {
                    let bytes = std::mem::take(&mut text);
                    lexemes.push((String::from_utf8_lossy(&bytes).into_owned(), lexeme != Lexeme::Stray));
                }
            }
        }
        lexemes
    }

    fn check(input: &[u8], expected: &[(&str, bool)]) {
        let expected: Vec<_> = expected.iter().map(|&(text, good)| (text.to_owned(), good)).collect();
        for size in 1..=input.len() {
            assert_eq!(lex(input, size), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_request() {
        check(
            b" {\"execute\" :\t'x',\r\n\"id\":-1.5e+3}",
            &["{", "\"execute\"", ":", "'x'", ",", "\"id\"", ":", "-1.5e+3", "}"].map(|text| (text, true)),
        );
    }

    #[test]
    fn numbers_and_words_end_where_they_must() {
        check(b"0x10\n", &[("0", true), ("x", true), ("10", true)]);
        check(b"true\"a\"nul]", &[("true", true), ("\"a\"", true), ("nul", true), ("]", true)]);
        check(b"0e1,", &[("0e1", true), (",", true)]);
    }

    #[test]
    fn strays_take_their_last_byte_with_them() {
        check(b"-\n01\n1.\n1e\n+1\n", &[("-\n", false), ("1.\n", false), ("+", false)]);
        check(b"-{}", &[("-{", false), ("}", true)]);
        check(b"\"a\nb\n{", &[("\"a\n", false), ("{", true)]);
    }

    #[test]
    fn after_a_stray_all_is_skipped_up_to_structure_or_a_control_character() {
        check(b"NaN \t\"x\" 12}}", &[("N", false), ("}", true), ("}", true)]);
        check(b"@\t@\t{", &[("@", false), ("{", true)]);
        check(b"G\r\nH", &[("G", false), ("H", false)]);
        check(
            b"@\x01\x01\xFF\xFF",
            &[("@", false), ("\x01", false), ("\x01", false), ("\u{FFFD}", false), ("\u{FFFD}", false)],
        );
    }

    #[test]
    fn positions_count_lines_and_bytes_from_one() {
        let mut lexer = Lexer::default();
        let input = b"\n\n  {\n \"a\n   ]";
        let mut at = 0;
        let mut starts = Vec::new();
        while at < input.len() {
            at += lexer.skip_gap(&input[at..]);
            at += lexer.read(&input[at..]).0;
            starts.push(lexer.start().to_string());
        }
        assert_eq!(starts, ["3:3", "4:2", "5:4"]);
    }
}
