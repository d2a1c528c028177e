//! The text of the arguments, taken apart into members.

use crate::bindings::bulkhead::agent::types::{LongArguments, LongString};
use crate::{CommandError, FromJson, Json, Path, parse};
use serde_json::Value;
use std::collections::BTreeMap;

/// The text of a request's `arguments`.
#[derive(Debug)]
pub enum ArgumentText {
    /// The whole text.
    Whole(String),
    /// Without the long strings, which are read piece by piece.
    Long(LongArguments),
    /// Longer than any module reads.
    TooLong,
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

    /// Takes the text apart. Long strings are left with the host.
    pub fn read(text: ArgumentText) -> Result<Self, CommandError> {
        let members = match text {
            ArgumentText::Whole(text) if text == "{}" => Vec::new(),
            ArgumentText::Whole(text) => members_of(&text, Vec::new())?,
            ArgumentText::Long(LongArguments { text, strings }) => members_of(&text, strings)?,
            ArgumentText::TooLong => {
                return Err(CommandError::generic("the arguments are too long (other than strings, 2 MiB are read)"));
            }
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
fn members_of(text: &str, long: Vec<LongString>) -> Result<Vec<(String, Json)>, CommandError> {
    let Some(Value::Object(object)) = parse::value(text.as_bytes()) else {
        return Err(CommandError::generic("QMP input member 'arguments' must be an object"));
    };
    let mut long: BTreeMap<_, _> = long.into_iter().map(|string| (string.name.clone(), string)).collect();
    let member = |(name, value)| match long.remove(&name) {
        Some(string) => (name, Json::Long(string.into())),
        None => (name, Json::Value(value)),
    };
    Ok(object.into_iter().map(member).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Streamed;

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
    fn long_strings_are_left_where_they_are() {
        let string = LongString { name: "buf-b64".to_owned(), offset: 26, length: 2000, escaped: false };
        let (text, strings) = (r#"{"handle":1000,"buf-b64":""}"#.to_owned(), vec![string.clone()]);
        let mut some = Members::read(ArgumentText::Long(LongArguments { text, strings })).unwrap();
        assert_eq!(some.required("handle"), Ok(1000));
        assert_eq!(some.required("buf-b64"), Ok(Streamed::from(string)));
        assert!(Members::read(ArgumentText::TooLong).unwrap_err().desc.contains("too long"));
    }

    #[test]
    fn null_is_not_absent() {
        let error = members(r#"{"mode": null}"#).optional::<String>("mode").unwrap_err();
        assert_eq!(error.desc, "Invalid parameter type for 'mode', expected: string");
        assert_eq!(members("{}").optional::<String>("mode"), Ok(None));
    }
}
