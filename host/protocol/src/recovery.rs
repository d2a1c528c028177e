//! What follows a broken message: its rest is eaten, token by token, without another error.

use crate::lexer::Token;

/// The brackets still open of a message that was refused.
///
/// Braces and brackets are counted apart and not matched with each other. The broken message is over when none of
/// either is open, or when one is closed that was not open (as in `[1}`).
#[derive(Debug)]
pub(crate) struct Recovery {
    braces: usize,
    brackets: usize,
}

impl Recovery {
    /// From the brackets open before the token that was refused, which comes next.
    pub(crate) fn new((braces, brackets): (usize, usize)) -> Self {
        Self { braces, brackets }
    }

    /// Eats a token; tells whether the broken message is over.
    pub(crate) fn eat(&mut self, token: Token) -> bool {
        let balanced = match token {
            Token::ObjectOpen => up(&mut self.braces),
            Token::ArrayOpen => up(&mut self.brackets),
            Token::ObjectClose => down(&mut self.braces),
            Token::ArrayClose => down(&mut self.brackets),
            _ => true,
        };
        !balanced || (self.braces == 0 && self.brackets == 0)
    }
}

fn up(count: &mut usize) -> bool {
    *count = count.saturating_add(1);
    true
}

fn down(count: &mut usize) -> bool {
    let lower = count.checked_sub(1);
    *count = lower.unwrap_or(0);
    lower.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many tokens of `text` the message is over.
    fn over_after(open: (usize, usize), text: &str) -> Option<usize> {
        let mut recovery = Recovery::new(open);
        let over = text.chars().position(|character| {
            recovery.eat(match character {
                '{' => Token::ObjectOpen,
                '}' => Token::ObjectClose,
                '[' => Token::ArrayOpen,
                ']' => Token::ArrayClose,
                _ => Token::Comma,
            })
        });
        over.map(|index| index + 1)
    }

    #[test]
    fn a_mistake_outside_brackets_is_over_at_once() {
        assert_eq!(over_after((0, 0), ","), Some(1));
        assert_eq!(over_after((0, 0), "}"), Some(1));
    }

    #[test]
    fn open_brackets_are_closed_first() {
        assert_eq!(over_after((1, 0), ",{,}}"), Some(5));
        assert_eq!(over_after((1, 1), "}]"), Some(2));
        assert_eq!(over_after((1, 1), "}{}{}"), None);
    }

    #[test]
    fn closing_what_is_not_open_ends_it() {
        assert_eq!(over_after((0, 1), "}"), Some(1));
        assert_eq!(over_after((1, 1), "]],"), Some(2));
    }
}
