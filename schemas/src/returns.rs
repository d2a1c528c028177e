//! Whether a reply is what its schema promises: for tests.

use crate::reader::{Dialect, Reader};
use crate::schema::{Command, Definition, Member, Schema, Union};
use crate::types::Type;
use crate::value::{Entry, Node, Value};
use std::fmt;

/// Where a reply is not what its schema promises. Prints as `return.paths[0].trimmed: expected int, found str`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// From the return down to the value, for instance `return.paths[0].trimmed`.
    pub path: String,
    /// What is wrong with that value.
    pub problem: String,
}

impl Mismatch {
    fn new(path: &str, problem: impl Into<String>) -> Self {
        Self { path: path.to_owned(), problem: problem.into() }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

impl std::error::Error for Mismatch {}

impl Schema {
    /// Checks the JSON text of a command's return: all members that must be there, none that is not declared, integers
    /// in range and not written as floating point, enum values that exist.
    ///
    /// # Errors
    ///
    /// The first difference. A command that is not of this schema, or that has no reply on success, has no return.
    pub fn check_return(&self, command: &str, text: &str) -> Result<(), Mismatch> {
        let path = "return";
        let command = self
            .command(command)
            .ok_or_else(|| Mismatch::new(path, format!("{command} is not a command of {}.json", self.module)))?;
        let node = Reader::new(text, Dialect::Json).document().map_err(|fault| {
            let error = fault.locate("", text);
            Mismatch::new(path, format!("not JSON: column {}: {}", error.column, error.message))
        })?;
        match command {
            Command { success_response: false, .. } => Err(Mismatch::new(path, "the command has no reply on success")),
            Command { returns: None, .. } => match node.value {
                Value::Object(entries) if entries.is_empty() => Ok(()),
                _ => Err(Mismatch::new(path, "expected an empty object")),
            },
            Command { returns: Some(ty), .. } => self.check(ty, &node, path),
        }
    }

    fn check(&self, ty: &Type, node: &Node, path: &str) -> Result<(), Mismatch> {
        match (ty, &node.value) {
            (Type::Int(integer), Value::Int(number)) if !(integer.min..=integer.max).contains(number) => {
                Err(Mismatch::new(path, format!("{number} is out of the range of {ty}")))
            }
            (Type::Int(_) | Type::Number, Value::Int(_))
            | (Type::Number, Value::Number)
            | (Type::Bool, Value::Bool(_))
            | (Type::Str, Value::Str(_)) => Ok(()),
            (Type::List(item), Value::List(nodes)) => nodes
                .iter()
                .enumerate()
                .try_for_each(|(index, node)| self.check(item, node, &format!("{path}[{index}]"))),
            (Type::Named(name), _) => match self.definition(name) {
                Some(definition) => self.check_named(definition, node, path),
                None => Err(Mismatch::new(path, format!("there is no type '{name}'"))),
            },
            (ty, found) => Err(Mismatch::new(path, format!("expected {ty}, found {}", found.kind()))),
        }
    }

    fn check_named(&self, definition: &Definition, node: &Node, path: &str) -> Result<(), Mismatch> {
        match (definition, &node.value) {
            (Definition::Struct(it), Value::Object(entries)) => {
                self.check_members(&it.name, &it.members.iter().collect::<Vec<_>>(), entries, path)
            }
            (Definition::Union(it), Value::Object(entries)) => self.check_union(it, entries, path),
            (Definition::Enum(it), Value::Str(word)) => {
                if it.values.iter().any(|value| value.name == *word) {
                    Ok(())
                } else {
                    Err(Mismatch::new(path, format!("'{word}' is not a value of {}", it.name)))
                }
            }
            (Definition::Alternate(it), _) => {
                let fits = |ty: &Type| self.check(ty, node, path).is_ok();
                if it.branches.iter().any(|branch| fits(&branch.ty)) {
                    Ok(())
                } else {
                    Err(Mismatch::new(path, format!("no branch of {} fits this {}", it.name, node.value.kind())))
                }
            }
            (_, found) => Err(Mismatch::new(path, format!("expected {}, found {}", definition.name(), found.kind()))),
        }
    }

    /// The discriminator's word tells which members there are besides it. That the discriminator is there, and one of
    /// the enum's words, is checked with them.
    fn check_union(&self, union: &Union, entries: &[Entry], path: &str) -> Result<(), Mismatch> {
        let mut declared = vec![&union.discriminator];
        let tag = entries.iter().find(|entry| entry.name == union.discriminator.name).map(|entry| &entry.node.value);
        let branch = union.branches.iter().find(|branch| matches!(tag, Some(Value::Str(word)) if *word == branch.name));
        if let Some(Definition::Struct(it)) = branch.and_then(|branch| self.named(&branch.ty)) {
            declared.extend(&it.members);
        }
        self.check_members(&union.name, &declared, entries, path)
    }

    /// Checks the members of an object that is an `owner`.
    fn check_members(&self, owner: &str, declared: &[&Member], entries: &[Entry], path: &str) -> Result<(), Mismatch> {
        for member in declared {
            let path = format!("{path}.{}", member.name);
            match entries.iter().find(|entry| entry.name == member.name) {
                Some(entry) => self.check(&member.ty, &entry.node, &path)?,
                None if member.optional => {}
                None => return Err(Mismatch::new(&path, format!("missing, expected {}", member.ty))),
            }
        }
        match entries.iter().find(|entry| !declared.iter().any(|member| member.name == entry.name)) {
            Some(entry) => Err(Mismatch::new(&format!("{path}.{}", entry.name), format!("{owner} has no such member"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Schema;

    fn check(command: &str, text: &str) -> String {
        let schema = Schema::parse("sample", include_str!("../tests/golden/sample.json")).unwrap();
        schema.check_return(command, text).map_or_else(|mismatch| mismatch.to_string(), |()| "fits".to_owned())
    }

    #[test]
    fn what_fits() {
        assert_eq!(check("guest-none", "{}"), "fits");
        assert_eq!(check("guest-report", r#"{"entries": [], "load": 0.5, "mode": 1}"#), "fits");
        let full =
            r#"{"entries": [{"type": "ab", "size": 18446744073709551615, "note": "x"}], "load": 1, "mode": "on"}"#;
        assert_eq!(check("guest-report", full), "fits");
    }

    #[test]
    fn a_union_has_the_members_of_its_word() {
        let cases = [
            (r#"[{"kind": "on", "type": "a", "size": 1}, {"size": 1, "type": "a", "kind": "on"}]"#, "fits"),
            (r#"[{"kind": "not-yet"}]"#, "fits"),
            (r#"[{"kind": "on"}]"#, "return[0].type: missing, expected str"),
            (r#"[{"kind": "not-yet", "size": 1}]"#, "return[0].size: State has no such member"),
            (r#"[{"type": "a", "size": 1}]"#, "return[0].kind: missing, expected Switch"),
            (r#"[{"kind": "of"}]"#, "return[0].kind: 'of' is not a value of Switch"),
            (r#"[{"kind": 1}]"#, "return[0].kind: expected Switch, found int"),
            (r#"["on"]"#, "return[0]: expected State, found str"),
        ];
        for (text, expected) in cases {
            assert_eq!(check("guest-state", text), expected);
        }
    }

    #[test]
    fn what_does_not_fit_and_where() {
        let cases = [
            ("[]", "return: expected Report, found list"),
            ("{", "return: not JSON: column 2: expected a member's name in quotes, found the end"),
            (r#"{"load": 1, "mode": 1}"#, "return.entries: missing, expected [Entry]"),
            (r#"{"entries": [3], "load": 1, "mode": 1}"#, "return.entries[0]: expected Entry, found int"),
            (r#"{"entries": [], "load": "1", "mode": 1}"#, "return.load: expected number, found str"),
            (r#"{"entries": [], "load": 1, "mode": 1, "x": 1}"#, "return.x: Report has no such member"),
            (r#"{"entries": [], "load": 1, "mode": 1.0}"#, "return.mode: no branch of Mode fits this number"),
            (r#"{"entries": [], "load": 1, "mode": "of"}"#, "return.mode: no branch of Mode fits this str"),
            (
                r#"{"entries": [{"type": "a", "size": 1}, {"type": "b", "size": 1.0}], "load": 1, "mode": 1}"#,
                "return.entries[1].size: expected uint64, found number",
            ),
            (
                r#"{"entries": [{"type": "a", "size": -1}], "load": 1, "mode": 1}"#,
                "return.entries[0].size: -1 is out of the range of uint64",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(check("guest-report", text), expected);
        }
        assert_eq!(check("guest-none", "null"), "return: expected an empty object");
        assert_eq!(check("guest-quiet", "{}"), "return: the command has no reply on success");
        assert_eq!(check("guest-absent", "{}"), "return: guest-absent is not a command of sample.json");
        assert_eq!(check("guest-word", "\"of\""), "return: 'of' is not a value of Switch");
    }
}
