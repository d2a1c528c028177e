//! The members of a definition's own object, each used once.

use crate::error::Fault;
use crate::value::{Entry, Node, Value};

/// What is left to be used of an object.
pub(super) struct Keys {
    at: usize,
    entries: Vec<Entry>,
}

impl Keys {
    /// The members of an object; anything else is an error.
    pub(super) fn of(node: Node) -> Result<Self, Fault> {
        match node.value {
            Value::Object(entries) => Ok(Self { at: node.at, entries }),
            other => Err(Fault::new(node.at, format!("expected an object, found {}", other.kind()))),
        }
    }

    /// The first member: its name, and the place and text of its value.
    pub(super) fn subject(&mut self) -> Result<(String, usize, String), Fault> {
        if self.entries.is_empty() {
            return Err(Fault::new(self.at, "an empty definition"));
        }
        let Entry { name, node, .. } = self.entries.remove(0);
        let at = node.at;
        Ok((name, at, text(node)?))
    }

    /// The member of this name, if it is there.
    pub(super) fn take(&mut self, name: &str) -> Option<Node> {
        let index = self.entries.iter().position(|entry| entry.name == name)?;
        Some(self.entries.remove(index).node)
    }

    /// The member of this name, which must be there.
    pub(super) fn required(&mut self, name: &str) -> Result<Node, Fault> {
        self.take(name).ok_or_else(|| Fault::new(self.at, format!("'{name}' is missing")))
    }

    /// To be called when everything known was taken: nothing may be left.
    pub(super) fn finish(self, owner: &str) -> Result<(), Fault> {
        match self.entries.first() {
            Some(entry) => Err(Fault::new(entry.at, format!("'{}' is not supported in a {owner}", entry.name))),
            None => Ok(()),
        }
    }
}

/// The text of a string; anything else is an error.
pub(super) fn text(node: Node) -> Result<String, Fault> {
    match node.value {
        Value::Str(text) => Ok(text),
        other => Err(Fault::new(node.at, format!("expected a string, found {}", other.kind()))),
    }
}

/// The items of a list; anything else is an error.
pub(super) fn list(node: Node) -> Result<Vec<Node>, Fault> {
    match node.value {
        Value::List(nodes) => Ok(nodes),
        other => Err(Fault::new(node.at, format!("expected a list, found {}", other.kind()))),
    }
}

/// The truth of a bool; anything else is an error.
pub(super) fn boolean(node: Node) -> Result<bool, Fault> {
    match node.value {
        Value::Bool(truth) => Ok(truth),
        other => Err(Fault::new(node.at, format!("expected true or false, found {}", other.kind()))),
    }
}
