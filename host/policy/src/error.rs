//! Where something stands in the owner's files, and what is wrong with it.

use crate::profiles::{PROFILE, Profile};
use std::fmt;
use std::sync::Arc;
use thiserror::Error;

/// A place in a file. Lines and columns begin with 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The file's name, as it was given to [`crate::Document::parse`].
    pub file: Arc<str>,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Origin {
    /// The place of the byte `offset` of `text`.
    pub(crate) fn of(file: &Arc<str>, text: &str, offset: usize) -> Self {
        let before = &text[..text.floor_char_boundary(offset)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Origin { file: Arc::clone(file), line, column }
    }

    /// Whether it is in a profile of the package, and not in a file of the owner's.
    pub fn is_of_profile(&self) -> bool {
        self.file.strip_prefix(PROFILE).is_some_and(|name| Profile::named(name).is_some())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Something in a file that cannot be a policy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{origin}: {message}")]
pub struct PolicyError {
    /// Where.
    pub origin: Origin,
    /// What, and where possible what was probably meant.
    pub message: String,
}

/// `, did you mean X?` if one of `known` is close to `word`.
pub(crate) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = |candidate: &&str| distance(word, candidate) <= candidate.len().div_ceil(4).max(1);
    let best = known.into_iter().filter(near).min_by_key(|candidate| distance(word, candidate));
    best.map_or(String::new(), |best| format!(", did you mean '{best}'?"))
}

/// How many characters must be put in, taken out or changed to make one word the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, from) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, to) in other.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let file = Arc::from("policy.toml");
        let at = |offset| Origin::of(&file, "a = 1\nü = \"x\"\n", offset).to_string();
        assert_eq!(at(0), "policy.toml:1:1");
        assert_eq!(at(6), "policy.toml:2:1");
        assert_eq!(at(9), "policy.toml:2:3", "ü is one character of two bytes");
        assert_eq!(at(999), "policy.toml:3:1", "the end");
    }

    #[test]
    fn only_a_near_word_is_suggested() {
        assert_eq!(suggestion("tree", ["trees", "access"]), ", did you mean 'trees'?");
        assert_eq!(suggestion("guest-exce", ["guest-exec", "guest-exec-status"]), ", did you mean 'guest-exec'?");
        assert_eq!(suggestion("colour", ["trees", "access"]), "");
    }
}
