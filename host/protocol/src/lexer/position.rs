//! Lines and columns, for the person who reads an error.

use std::fmt;

/// A place in all that a connection has sent: line and column, both from 1, columns in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    line: u64,
    column: u64,
}

impl Position {
    /// Moves behind `byte`.
    pub(crate) fn pass(&mut self, byte: u8) {
        if byte == b'\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
    }

    /// Moves behind `bytes`, of which only the last may be a line break.
    pub(crate) fn advance(&mut self, bytes: &[u8]) {
        if let Some((&last, rest)) = bytes.split_last() {
            self.column += rest.len() as u64;
            self.pass(last);
        }
    }
}

impl Default for Position {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
