//! JSON values that know where they stood.

/// A value and where it starts.
#[derive(Debug, PartialEq)]
pub(crate) struct Node {
    /// Byte offset in the text.
    pub(crate) at: usize,
    /// What stands there.
    pub(crate) value: Value,
}

/// A JSON value.
#[derive(Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A number without fraction and exponent.
    Int(i128),
    /// Any other number. What it is worth does not matter here.
    Number,
    Str(String),
    List(Vec<Node>),
    Object(Vec<Entry>),
}

/// One member of an object.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry {
    /// Byte offset of the name.
    pub(crate) at: usize,
    pub(crate) name: String,
    pub(crate) node: Node,
}

impl Value {
    /// What it is, in QAPI's words, for error messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Number => "number",
            Self::Str(_) => "str",
            Self::List(_) => "list",
            Self::Object(_) => "object",
        }
    }
}
