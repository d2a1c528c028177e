//! What is wrong with a schema, and where.

use std::fmt;

/// A schema that cannot be used. Prints as `file.json:12:5: what was expected`.
///
/// The only reader is the person who edits the schema, so this is one sentence and a place rather than an enum to
/// branch on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    /// The module whose schema it is; the file is named after it.
    pub module: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.json:{}:{}: {}", self.module, self.line, self.column, self.message)
    }
}

impl std::error::Error for SchemaError {}

/// An error while the text is still at hand, so that a byte offset is place enough.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Byte offset in the text.
    pub(crate) at: usize,
    /// As in [`SchemaError`].
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// The error for the outside, with the offset turned into line and column.
    pub(crate) fn locate(self, module: &str, text: &str) -> SchemaError {
        let (line, column) = position(text, self.at);
        SchemaError { module: module.to_owned(), line, column, message: self.message }
    }
}

/// Line and column, both from 1, of the byte at `at`.
pub(crate) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        assert_eq!(position("", 0), (1, 1));
        assert_eq!(position("ab\ncd", 4), (2, 2));
        assert_eq!(position("\u{e9}x", 2), (1, 2));
    }

    #[test]
    fn an_error_names_the_file_and_the_place() {
        let error = Fault::new(3, "expected a name").locate("file", "ab\nc");
        assert_eq!(error.to_string(), "file.json:2:1: expected a name");
    }
}
