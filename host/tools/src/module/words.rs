//! What the tools print: calm words, and nothing of a module's that moves a terminal's cursor.

pub(super) use bulkhead_host::briefly::now;
pub(super) use bulkhead_host::briefly::{date, short};
use bulkhead_policy::shape;
use std::io::{self, IsTerminal};

/// Text of somebody else's, as it may be shown.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\'' | '"' | '\\' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    shown
}

/// The same, of several lines.
pub(super) fn shown_lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(shown)
}

/// What a capability is, in a sentence.
pub(super) fn of_capability(name: &str) -> &'static str {
    shape::find(name).map_or("", |shape| shape.doc)
}

/// Tells on stderr what is being done, where a person waits for it or wants to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    is_told: bool,
}

impl Progress {
    /// Where stderr is a terminal, or if it is wished.
    pub(super) fn new(is_wished: bool) -> Self {
        Progress { is_told: is_wished || io::stderr().is_terminal() }
    }

    /// One step, about to begin.
    pub(super) fn step(self, what: &str) {
        if self.is_told {
            eprintln!("{what}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_a_cursor() {
        assert_eq!(shown("it's \"good\" \\ ä"), "it's \"good\" \\ ä");
        assert_eq!(shown("\u{1b}[2Jx\r\ny\u{202e}"), "\\u{1b}[2Jx\\r\\ny\\u{202e}");
        assert_eq!(shown_lines("a\n\u{7}b").collect::<Vec<_>>(), ["a", "\\u{7}b"]);
    }
}
