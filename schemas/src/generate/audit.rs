//! The host's table of arguments: which of them an audit may show.

use crate::Schema;
use std::fmt;

/// Why there can be no table. A decision that is missing must not become one by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionError {
    /// An argument of which nothing is said.
    Undecided {
        /// The command.
        command: String,
        /// Its argument.
        argument: String,
    },
    /// A line that is no decision, or one about an argument that there is not, or the second about the same.
    Wrong {
        /// Its number, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
}

impl fmt::Display for DecisionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undecided { command, argument } => {
                write!(f, "is '{argument}' of {command} shown, or secret? Nothing is said of it")
            }
            Self::Wrong { line, text } => write!(f, "line {line}: '{text}' decides about no argument, or again"),
        }
    }
}

impl std::error::Error for DecisionError {}

/// Rust source of `pub static ARGUMENTS: &[Argument]`, the arguments of all commands of all `schemas`.
///
/// `Argument` has to be in scope where the source is included, with the members `command` and `name` (`&'static str`) and
/// `secret` (`bool`). `decisions` has a line `COMMAND ARGUMENT shown` or `COMMAND ARGUMENT secret` for each, and may have
/// empty lines and lines that start with `#`.
///
/// # Errors
///
/// If there is not exactly one decision for each argument.
pub fn argument_table(schemas: &[Schema], decisions: &str) -> Result<String, DecisionError> {
    let commands = schemas.iter().flat_map(|schema| &schema.commands);
    let mut undecided: Vec<(&str, &str)> = commands
        .flat_map(|command| command.arguments.iter().map(|argument| (command.name.as_str(), argument.name.as_str())))
        .collect();
    let mut out = "// Made by bulkhead-schema from schemas/audit.txt.\n\n".to_owned();
    out += "/// Every argument of every command.\n";
    out += "pub static ARGUMENTS: &[Argument] = &[\n";
    for (index, text) in decisions.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let decided = match text.split(' ').collect::<Vec<_>>()[..] {
            [command, argument, word @ ("shown" | "secret")] => {
                let place = undecided.iter().position(|it| *it == (command, argument));
                place.map(|place| (undecided.remove(place), word == "secret"))
            }
            _ => None,
        };
        let Some(((command, name), secret)) = decided else {
            return Err(DecisionError::Wrong { line: index + 1, text: text.to_owned() });
        };
        out += &format!("    Argument {{ command: \"{command}\", name: \"{name}\", secret: {secret} }},\n");
    }
    match undecided.first() {
        Some((command, argument)) => {
            Err(DecisionError::Undecided { command: (*command).to_owned(), argument: (*argument).to_owned() })
        }
        None => Ok(out + "];\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(decisions: &str) -> Result<String, String> {
        let text = "##\n# @guest-a: d\n# @b: m\n# @c: m\n# Since: 1\n##\n\
                    { 'command': 'guest-a', 'data': { 'b': 'str', '*c': 'int' } }";
        let schema = Schema::parse("one", text).unwrap();
        argument_table(&[schema], decisions).map_err(|error| error.to_string())
    }

    #[test]
    fn each_argument_has_its_decision() {
        let table = table("# words\n\nguest-a c shown\nguest-a b secret\n").unwrap();
        let rows: Vec<_> = table.lines().filter_map(|line| line.strip_prefix("    ")).collect();
        assert_eq!(
            rows,
            [
                r#"Argument { command: "guest-a", name: "c", secret: false },"#,
                r#"Argument { command: "guest-a", name: "b", secret: true },"#,
            ]
        );
    }

    #[test]
    fn nothing_decides_itself() {
        assert_eq!(table("guest-a b shown").unwrap_err(), "is 'c' of guest-a shown, or secret? Nothing is said of it");
        for wrong in ["guest-a b visible", "guest-a d shown", "guest-b b shown", "guest-a b", "guest-a  b shown"] {
            assert_eq!(table(wrong).unwrap_err(), format!("line 1: '{wrong}' decides about no argument, or again"));
        }
        assert!(table("guest-a b shown\nguest-a b secret").unwrap_err().starts_with("line 2: "));
    }
}
