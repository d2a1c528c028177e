//! The host's table of commands.

use crate::Schema;
use std::fmt;

/// Why there can be no table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableError {
    /// A command that the order does not have. qemu-ga does not know it, so its name must be wrong.
    NotInOrder {
        /// The module whose schema has it.
        module: String,
        /// Its name.
        command: String,
    },
    /// A command that is twice in the order, or in two schemas.
    Twice(String),
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInOrder { module, command } => write!(f, "{command} of {module}.json is not in this list"),
            Self::Twice(command) => write!(f, "{command} is there twice"),
        }
    }
}

impl std::error::Error for TableError {}

/// Rust source of `pub static COMMANDS: &[Command]`, the commands of all `schemas` in the order of `order`.
///
/// `Command` has to be in scope where the source is included, with the members `name` and `module` (`&'static str`)
/// `success_response` and `allowed_while_frozen` (`bool`), and `installed`, which
/// is `None` for what is built in. `order` has one command per line and may have empty
/// lines and lines that start with `#`; see [`ORDER`](crate::ORDER).
///
/// # Errors
///
/// If a command is not in `order`, or is defined by two schemas.
pub fn command_table(schemas: &[Schema], order: &str) -> Result<String, TableError> {
    let mut commands: Vec<_> =
        schemas.iter().flat_map(|schema| schema.commands.iter().map(move |command| (schema, command))).collect();
    let mut out = "// Made by bulkhead-schema from schemas/*.json.\n\n".to_owned();
    out += "/// Every command, in qemu-ga's order.\n";
    out += "pub static COMMANDS: &[Command] = &[\n";
    let mut seen = Vec::new();
    for name in order.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if seen.contains(&name) {
            return Err(TableError::Twice(name.to_owned()));
        }
        seen.push(name);
        let mut found = commands.extract_if(.., |(_, command)| command.name == name);
        if let Some((schema, command)) = found.next() {
            out += &format!(
                "    Command {{ name: \"{name}\", module: \"{}\", success_response: {}, allowed_while_frozen: {}, installed: None }},\n",
                schema.module, command.success_response, command.allowed_while_frozen
            );
        }
        if found.next().is_some() {
            return Err(TableError::Twice(name.to_owned()));
        }
    }
    match commands.first() {
        Some((schema, command)) => {
            Err(TableError::NotInOrder { module: schema.module.clone(), command: command.name.clone() })
        }
        None => Ok(out + "];\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(module: &str, command: &str, more: &str) -> Schema {
        let text = format!("##\n# @{command}: d\n# Since: 1\n##\n{{ 'command': '{command}'{more} }}");
        Schema::parse(module, &text).unwrap()
    }

    #[test]
    fn the_table_keeps_the_order_and_leaves_out_what_no_schema_has() {
        let one = schema("one", "guest-a", ", 'success-response': false");
        let two = schema("two", "guest-b", ", 'features': [ 'allowed-while-frozen' ]");
        let table = command_table(&[one, two], "# order\n\nguest-b\nguest-c\nguest-a\n").unwrap();
        let rows: Vec<_> = table.lines().filter_map(|line| line.strip_prefix("    ")).collect();
        assert_eq!(
            rows,
            [
                r#"Command { name: "guest-b", module: "two", success_response: true, allowed_while_frozen: true, installed: None },"#,
                r#"Command { name: "guest-a", module: "one", success_response: false, allowed_while_frozen: false, installed: None },"#,
            ]
        );
    }

    #[test]
    fn what_does_not_go_together() {
        let one = schema("one", "guest-a", "");
        let error = command_table(std::slice::from_ref(&one), "guest-b").unwrap_err();
        assert_eq!(error.to_string(), "guest-a of one.json is not in this list");
        let two = schema("two", "guest-a", "");
        assert_eq!(command_table(&[one, two], "guest-a"), Err(TableError::Twice("guest-a".to_owned())));
        assert_eq!(command_table(&[], "guest-a\nguest-a"), Err(TableError::Twice("guest-a".to_owned())));
    }
}
