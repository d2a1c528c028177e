//! Types as commands and other types refer to them.

use std::fmt;

/// A type as it is referred to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// `int` and its relatives.
    Int(Integer),
    /// `number`: floating point.
    Number,
    /// `bool`
    Bool,
    /// `str`
    Str,
    /// `['T']`
    List(Box<Type>),
    /// A struct, an enum, an alternate or a union of this schema.
    Named(String),
}

/// An integer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integer {
    /// In the schema.
    pub name: &'static str,
    /// In Rust.
    pub rust: &'static str,
    /// The smallest value.
    pub min: i128,
    /// The largest value.
    pub max: i128,
}

impl Type {
    /// The built-in type of this name.
    pub(crate) fn built_in(name: &str) -> Option<Self> {
        match name {
            "number" => Some(Self::Number),
            "bool" => Some(Self::Bool),
            "str" => Some(Self::Str),
            _ => INTEGERS.into_iter().find(|integer| integer.name == name).map(Self::Int),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(integer) => f.write_str(integer.name),
            Self::Number => f.write_str("number"),
            Self::Bool => f.write_str("bool"),
            Self::Str => f.write_str("str"),
            Self::List(item) => write!(f, "[{item}]"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

const INTEGERS: [Integer; 10] = [
    Integer { name: "int", rust: "i64", min: i64::MIN as i128, max: i64::MAX as i128 },
    Integer { name: "int8", rust: "i8", min: i8::MIN as i128, max: i8::MAX as i128 },
    Integer { name: "int16", rust: "i16", min: i16::MIN as i128, max: i16::MAX as i128 },
    Integer { name: "int32", rust: "i32", min: i32::MIN as i128, max: i32::MAX as i128 },
    Integer { name: "int64", rust: "i64", min: i64::MIN as i128, max: i64::MAX as i128 },
    Integer { name: "uint8", rust: "u8", min: 0, max: u8::MAX as i128 },
    Integer { name: "uint16", rust: "u16", min: 0, max: u16::MAX as i128 },
    Integer { name: "uint32", rust: "u32", min: 0, max: u32::MAX as i128 },
    Integer { name: "uint64", rust: "u64", min: 0, max: u64::MAX as i128 },
    Integer { name: "size", rust: "u64", min: 0, max: u64::MAX as i128 },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_types_print_as_they_are_written() {
        for name in ["int", "int32", "uint64", "size", "number", "bool", "str"] {
            assert_eq!(Type::built_in(name).unwrap().to_string(), name);
        }
        assert_eq!(Type::built_in("GuestFileRead"), None);
        assert_eq!(Type::List(Box::new(Type::Str)).to_string(), "[str]");
    }
}
