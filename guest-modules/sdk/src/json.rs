//! JSON values as arguments, checked as QAPI checks them.
//!
//! The texts of the errors are those of QEMU's visitors, since clients match on them.

use crate::{CommandError, Members, Streamed};
use serde_json::Value;
use std::fmt;

/// A member's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// A value that was read whole.
    Value(Value),
    /// A string too long for that; its text is still with the host.
    Long(Streamed),
}

/// What sort of value one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number without fraction and exponent that fits 64 bits, signed or unsigned.
    Int,
    /// Any other number.
    Number,
    /// A string.
    Str,
    /// An array.
    List,
    /// An object.
    Object,
}

impl Kind {
    /// The kind of `value`.
    pub fn of(value: &Json) -> Self {
        match value {
            Json::Long(_) => Kind::Str,
            Json::Value(Value::Null) => Kind::Null,
            Json::Value(Value::Bool(_)) => Kind::Bool,
            Json::Value(Value::Number(number)) if number.is_i64() || number.is_u64() => Kind::Int,
            Json::Value(Value::Number(_)) => Kind::Number,
            Json::Value(Value::String(_)) => Kind::Str,
            Json::Value(Value::Array(_)) => Kind::List,
            Json::Value(Value::Object(_)) => Kind::Object,
        }
    }
}

/// Where in the arguments a value stands, as errors name it: `vcpus[0].logical-id`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(String);

impl Path {
    /// The place of a member of the object that stands here.
    pub fn member(&self, name: &str) -> Self {
        if self.0.is_empty() { Path(name.to_owned()) } else { Path(format!("{}.{name}", self.0)) }
    }

    /// The place of an element of the list that stands here.
    pub fn index(&self, index: usize) -> Self {
        Path(format!("{}[{index}]", self.0))
    }

    /// The value here has the wrong type.
    pub fn bad_type(&self, expected: &str) -> CommandError {
        CommandError::generic(format!("Invalid parameter type for '{self}', expected: {expected}"))
    }

    /// The value here is not one of the words that it may be.
    pub fn bad_value(&self, value: &str) -> CommandError {
        CommandError::generic(format!("Parameter '{self}' does not accept value '{value}'"))
    }

    /// The value here does not fit the integer type that is expected.
    fn out_of_range(&self, expected: &str) -> CommandError {
        CommandError::generic(format!("Parameter '{self}' expects {expected}"))
    }

    /// A member that must be here is not.
    pub fn missing(&self) -> CommandError {
        CommandError::generic(format!("Parameter '{self}' is missing"))
    }

    /// A member is here that the command does not have.
    pub fn unexpected(&self) -> CommandError {
        CommandError::generic(format!("Parameter '{self}' is unexpected"))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A type that arguments may have.
pub trait FromJson: Sized {
    /// The value found at `at`, or what is wrong with it.
    fn from_json(value: Json, at: &Path) -> Result<Self, CommandError>;
}

impl FromJson for i64 {
    fn from_json(value: Json, at: &Path) -> Result<Self, CommandError> {
        match value {
            Json::Value(Value::Number(number)) => number.as_i64().ok_or_else(|| at.bad_type("integer")),
            _ => Err(at.bad_type("integer")),
        }
    }
}

impl FromJson for u64 {
    /// A negative number stands for its two's complement, as QEMU has it. Other than with `i64`, a value of any other
    /// kind is told the same as a number that is too large.
    fn from_json(value: Json, at: &Path) -> Result<Self, CommandError> {
        let number = match value {
            Json::Value(Value::Number(number)) => number.as_u64().or_else(|| number.as_i64().map(i64::cast_unsigned)),
            _ => None,
        };
        number.ok_or_else(|| at.out_of_range("uint64"))
    }
}

/// A narrow integer is read as the wide one of its sign, so what is no integer at all gets the error of that one.
macro_rules! narrow_integer {
    ($($narrow:ty, $wide:ty, $expected:literal;)*) => {$(
        impl FromJson for $narrow {
            fn from_json(value: Json, at: &Path) -> Result<Self, CommandError> {
                <$wide>::from_json(value, at)?.try_into().map_err(|_| at.out_of_range($expected))
            }
        }
    )*};
}

narrow_integer! {
    i8, i64, "int8_t";
    i16, i64, "int16_t";
    i32, i64, "int32_t";
    u8, u64, "uint8_t";
    u16, u64, "uint16_t";
    u32, u64, "uint32_t";
}

impl FromJson for f64 {
    fn from_json(value: Json, at: &Path) -> Result<Self, CommandError> {
        match value {
            Json::Value(Value::Number(number)) => number.as_f64().ok_or_else(|| at.bad_type("number")),
            _ => Err(at.bad_type("number")),
        }
    }
}

impl FromJson for bool {
    fn from_json(value: Json, at: &Path) -> Result<Self, CommandError> {
        match value {
            Json::Value(Value::Bool(truth)) => Ok(truth),
            _ => Err(at.bad_type("boolean")),
        }
    }
}

impl FromJson for String {
    fn from_json(value: Json, at: &Path) -> Result<Self, CommandError> {
        match value {
            Json::Value(Value::String(text)) => Ok(text),
            Json::Long(text) => text.whole(at),
            Json::Value(_) => Err(at.bad_type("string")),
        }
    }
}

impl FromJson for Streamed {
    fn from_json(value: Json, at: &Path) -> Result<Self, CommandError> {
        match value {
            Json::Value(Value::String(text)) => Ok(Streamed::inline(text)),
            Json::Long(text) => Ok(text),
            Json::Value(_) => Err(at.bad_type("string")),
        }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: Json, at: &Path) -> Result<Self, CommandError> {
        match value {
            Json::Value(Value::Array(elements)) => {
                let element = |(index, value)| T::from_json(Json::Value(value), &at.index(index));
                elements.into_iter().enumerate().map(element).collect()
            }
            _ => Err(at.bad_type("array")),
        }
    }
}

/// The word found at `at`, for an enum to look up.
pub fn enum_text(value: Json, at: &Path) -> Result<String, CommandError> {
    String::from_json(value, at)
}

impl Members {
    /// The members of the object found at `at`, for a nested struct.
    pub fn of(value: Json, at: &Path) -> Result<Self, CommandError> {
        match value {
            Json::Value(Value::Object(object)) => {
                let members = object.into_iter().map(|(name, value)| (name, Json::Value(value))).collect();
                Ok(Members::new(members, at.clone()))
            }
            _ => Err(at.bad_type("object")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn desc<T: FromJson + std::fmt::Debug>(value: Value) -> String {
        T::from_json(Json::Value(value), &Path::default().member("x")).unwrap_err().desc
    }

    #[test]
    fn integers_are_64_bits_and_never_floats() {
        let at = Path::default().member("id");
        assert_eq!(i64::from_json(Json::Value(json!(i64::MAX)), &at), Ok(i64::MAX));
        for wrong in [json!(1.0), json!(9_223_372_036_854_775_808_u64), json!("1"), json!(null), json!([5])] {
            assert_eq!(desc::<i64>(wrong), "Invalid parameter type for 'x', expected: integer");
        }
    }

    #[test]
    fn unsigned_integers_wrap_below_zero() {
        let at = Path::default();
        assert_eq!(u64::from_json(Json::Value(json!(-1)), &at), Ok(u64::MAX));
        assert_eq!(u64::from_json(Json::Value(json!(i64::MIN)), &at), Ok(1 << 63));
        assert_eq!(u64::from_json(Json::Value(json!(u64::MAX)), &at), Ok(u64::MAX));
        let below: Value = serde_json::from_str("-9223372036854775809").unwrap();
        let above: Value = serde_json::from_str("18446744073709551616").unwrap();
        for wrong in [below, above, json!(1.5), json!(1e3), json!("1"), json!(null), json!(true), json!([]), json!({})]
        {
            assert_eq!(desc::<u64>(wrong), "Parameter 'x' expects uint64");
        }
    }

    /// As QEMU 7.2.22 was seen to answer `netdev_add` and `migrate-set-parameters`: qemu-ga has no such argument.
    #[test]
    fn narrow_integers_have_a_range() {
        let at = Path::default();
        assert_eq!(i32::from_json(Json::Value(json!(i32::MIN)), &at), Ok(i32::MIN));
        assert_eq!(u32::from_json(Json::Value(json!(u32::MAX)), &at), Ok(u32::MAX));
        assert_eq!(desc::<i32>(json!(99_999_999_999_i64)), "Parameter 'x' expects int32_t");
        assert_eq!(desc::<i32>(json!(1.5)), "Invalid parameter type for 'x', expected: integer");
        assert_eq!(desc::<u32>(json!(-1)), "Parameter 'x' expects uint32_t");
        assert_eq!(desc::<u8>(json!(300)), "Parameter 'x' expects uint8_t");
        assert_eq!(desc::<u8>(json!("x")), "Parameter 'x' expects uint64");
    }

    #[test]
    fn a_list_names_the_element_that_is_wrong() {
        assert_eq!(desc::<Vec<String>>(json!(["a", null])), "Invalid parameter type for 'x[1]', expected: string");
        assert_eq!(desc::<Vec<String>>(json!(5)), "Invalid parameter type for 'x', expected: array");
    }

    #[test]
    fn nested_members_are_named_by_their_path() {
        let at = Path::default().member("vcpus").index(0);
        let mut members = Members::of(Json::Value(json!({"logical-id": 0, "odd": 1})), &at).unwrap();
        assert_eq!(members.required::<i64>("logical-id"), Ok(0));
        assert_eq!(members.required::<bool>("online").unwrap_err().desc, "Parameter 'vcpus[0].online' is missing");
        assert_eq!(members.finish().unwrap_err().desc, "Parameter 'vcpus[0].odd' is unexpected");
    }
}
