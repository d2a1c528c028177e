//! The text of the arguments, taken apart into members.

use crate::bindings::bulkhead::agent::arguments as host;
use crate::{CommandError, FromJson, Json, Path, parse, scan};
use serde_json::Value;

/// The text of a request's `arguments`.
#[derive(Debug)]
pub enum ArgumentText {
    /// The whole text.
    Whole(String),
    /// Its length in bytes; the text itself is read piece by piece.
    Remote(u64),
}

/// The arguments of one command, as its schema has them.
pub trait FromArguments: Sized {
    /// Takes from `members` what belongs to the command; what it leaves is unexpected.
    fn from_arguments(members: &mut Members) -> Result<Self, CommandError>;
}

/// The members of an object, each to be taken once.
#[derive(Debug)]
pub struct Members {
    members: Vec<(String, Json)>,
    at: Path,
}

impl Members {
    pub(crate) fn new(members: Vec<(String, Json)>, at: Path) -> Self {
        Members { members, at }
    }

    /// Takes the text apart. A long text is scanned in pieces and its long strings are left with the host.
    pub fn read(text: ArgumentText) -> Result<Self, CommandError> {
        let members = match text {
            ArgumentText::Whole(text) if text == "{}" => Vec::new(),
            ArgumentText::Whole(text) => whole(&text)?,
            ArgumentText::Remote(length) => scan::members(length, host::read)?,
        };
        Ok(Members::new(members, Path::default()))
    }

    /// A member that must be there.
    pub fn required<T: FromJson>(&mut self, name: &str) -> Result<T, CommandError> {
        let at = self.at.member(name);
        match self.take(name) {
            Some(value) => T::from_json(value, &at),
            None => Err(at.missing()),
        }
    }

    /// A member that may be absent. `null` is not absent: it is a value of the wrong type.
    pub fn optional<T: FromJson>(&mut self, name: &str) -> Result<Option<T>, CommandError> {
        let at = self.at.member(name);
        self.take(name).map(|value| T::from_json(value, &at)).transpose()
    }

    /// Refuses what was not taken.
    pub fn finish(self) -> Result<(), CommandError> {
        match self.members.first() {
            Some((name, _)) => Err(self.at.member(name).unexpected()),
            None => Ok(()),
        }
    }

    fn take(&mut self, name: &str) -> Option<Json> {
        let index = self.members.iter().position(|(member, _)| member == name)?;
        Some(self.members.swap_remove(index).1)
    }
}

/// The host promises one well-formed object; a module does not have to believe it.
fn whole(text: &str) -> Result<Vec<(String, Json)>, CommandError> {
    match parse::value(text.as_bytes()) {
        Some(Value::Object(object)) => Ok(object.into_iter().map(|(name, value)| (name, Json::Value(value))).collect()),
        _ => Err(CommandError::generic("QMP input member 'arguments' must be an object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Members {
        Members::read(ArgumentText::Whole(text.to_owned())).unwrap()
    }

    #[test]
    fn each_member_is_taken_once_and_the_rest_is_unexpected() {
        let mut some = members(r#"{"id": 7, "foo": 1}"#);
        assert_eq!(some.required::<i64>("id"), Ok(7));
        assert_eq!(some.required::<i64>("id").unwrap_err().desc, "Parameter 'id' is missing");
        assert_eq!(some.finish().unwrap_err().desc, "Parameter 'foo' is unexpected");
    }

    #[test]
    fn a_number_that_is_too_large_is_a_number() {
        let error = members(r#"{"id": 1e999}"#).required::<i64>("id").unwrap_err();
        assert_eq!(error.desc, "Invalid parameter type for 'id', expected: integer");
    }

    #[test]
    fn null_is_not_absent() {
        let error = members(r#"{"mode": null}"#).optional::<String>("mode").unwrap_err();
        assert_eq!(error.desc, "Invalid parameter type for 'mode', expected: string");
        assert_eq!(members("{}").optional::<String>("mode"), Ok(None));
    }
}
