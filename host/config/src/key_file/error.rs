//! What can be wrong with a key file.

use crate::peers::PeersError;
use thiserror::Error;

/// Why a key file, or a value in it, cannot be read. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyFileError {
    /// A line that is nothing a key file can hold.
    #[error("line {line} is not a [group], a key=value pair or a # comment: '{text}'")]
    NotAnEntry {
        /// The line's number.
        line: usize,
        /// The line.
        text: String,
    },
    /// A pair that belongs to no group.
    #[error("line {line} has a key before the first [group]")]
    NoGroup {
        /// The line's number.
        line: usize,
    },
    /// A group name that is empty or has brackets or control characters in it.
    #[error("line {line} has an invalid group name: '{name}'")]
    Group {
        /// The line's number.
        line: usize,
        /// What stands between the brackets.
        name: String,
    },
    /// A key with brackets in it that do not enclose a locale at its end.
    #[error("line {line} has an invalid key: '{key}'")]
    Key {
        /// The line's number.
        line: usize,
        /// What stands before the `=`.
        key: String,
    },
    /// A value that cannot be read.
    #[error("line {line}: the value of '{key}' {problem}")]
    Value {
        /// The line's number.
        line: usize,
        /// The key that was asked for.
        key: String,
        /// What is wrong with the value.
        problem: ValueProblem,
    },
    /// A value that is neither on nor off.
    #[error("line {line}: '{key}' must be true, false, 1 or 0, not '{value}'")]
    Boolean {
        /// The line's number.
        line: usize,
        /// The key that was asked for.
        key: String,
        /// Its value.
        value: String,
    },
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ValueProblem {
    /// Only comments may be in another encoding.
    #[error("is not valid UTF-8")]
    NotUtf8,
    /// A backslash before another character than the five that can be escaped.
    #[error(r"has the unknown escape '\{0}'; a backslash itself is written '\\'")]
    Escape(char),
    /// Somebody is named who is nobody.
    #[error("is not a list of vsock peers: {0}")]
    Peers(PeersError),
    /// A limit that is not one.
    #[error("must be {form}, not '{value}'")]
    Bound {
        /// What it must be.
        form: &'static str,
        /// What it is.
        value: String,
    },
    /// A backslash with nothing behind it.
    #[error(r"ends with a single backslash; a backslash itself is written '\\'")]
    LoneBackslash,
}
