//! What a module says of itself, in a custom section of the component.

use crate::names;
use bulkhead_schema::Schema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;

/// The name of the custom section. It is the last of the file, and its contents are JSON.
pub const SECTION: &str = "bulkhead:manifest";

/// The version of this form. A manifest of another one is refused.
pub const FORMAT: u32 = 1;

/// How long a manifest may be, in bytes. It bounds what the state of a store keeps of each version; most of it is the
/// schema, and the longest of a built-in module has 21 KiB.
pub const LONGEST: usize = 256 << 10;

/// The kind of section that engines pass over.
const CUSTOM: u8 = 0;

/// How many commands a module may have. It bounds the table of commands and the answer of guest-info; the largest
/// built-in module has 14.
pub const COMMANDS: usize = 64;

/// How many requests its self-test may have. It bounds how long an installation takes, for each may use the time of a
/// command; one or two for each command find what can be found where every capability is refused.
pub const SELF_TESTS: usize = 64;

/// How long a version may be, in bytes. It bounds a line of `bulkhead module list`; versions with a date and a commit
/// have some thirty.
const VERSION: usize = 64;

/// How long the description may be, in bytes. It bounds a line of `bulkhead module inspect`, for which it is made; a
/// sentence of a hundred letters says enough.
const DESCRIPTION: usize = 256;

/// What a module says of itself. What it may reach it does not say here: its imports do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// [`FORMAT`].
    pub manifest: u32,
    /// Its name: a vendor's ([`crate::names::is_vendor_module`]), or that of the built-in module whose place it takes.
    pub name: String,
    /// Its version, for people: anything without blanks.
    pub version: String,
    /// A number that grows with every version: one that was lower is never installed after one that was higher.
    pub counter: u64,
    /// The oldest agent that it works with, such as `0.1.0`.
    pub agent: String,
    /// One sentence that says what it is for.
    pub description: String,
    /// Its commands.
    pub commands: Vec<Command>,
    /// Their schema, in QAPI's language.
    pub schema: String,
    /// Requests that are tried with every capability refused before it is installed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub self_test: Vec<SelfTest>,
}

/// A command as the manifest has it; the schema must say the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Command {
    /// Its name.
    pub name: String,
    /// Whether it answers while file systems are frozen. Then it must not write to a disk.
    pub while_frozen: bool,
    /// Whether success is answered at all.
    pub success_response: bool,
    /// Its arguments.
    pub arguments: Vec<Argument>,
}

/// An argument of a command, for the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Whether the audit may show its value. If not, it shows how long it was.
    pub shown: bool,
}

/// A request of the self-test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SelfTest {
    /// The command.
    pub execute: String,
    /// The text of its arguments, a JSON object.
    pub arguments: String,
    /// What it must answer.
    pub expect: Expect,
}

/// What a self-test expects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// Any answer: a return or an error.
    Answer,
    /// An error whose description has these words.
    Error(String),
    /// Just this return, as JSON text.
    Return(String),
}

/// Why a manifest is none.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// It is no JSON of this form.
    #[error("the manifest cannot be read: {0}")]
    Unreadable(#[source] serde_json::Error),
    /// It says something that cannot be.
    #[error("the manifest is wrong: {0}")]
    Wrong(String),
}

impl Manifest {
    /// Reads the contents of the custom section. What it says is not checked yet: see [`Manifest::check`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() > LONGEST {
            return Err(ManifestError::Wrong(format!("it is longer than {LONGEST} bytes")));
        }
        serde_json::from_slice(bytes).map_err(ManifestError::Unreadable)
    }

    /// Whether it says what can be: names by the rules, numbers within bounds, and commands and arguments that are just
    /// those of its schema. Returns the schema.
    pub fn check(&self) -> Result<Schema, ManifestError> {
        self.check_itself().and_then(|()| self.check_commands()).map_err(ManifestError::Wrong)
    }

    /// Whether it may run in an agent of this version. A version that is none is older than any.
    #[must_use]
    pub fn is_for(&self, agent: &str) -> bool {
        matches!((numbers(&self.agent), numbers(agent)), (Some(least), Some(agent)) if least <= agent)
    }

    /// The custom section with it, as it stands at the end of a component.
    #[must_use]
    pub fn section(&self) -> Vec<u8> {
        let mut contents = leb128(SECTION.len());
        contents.extend(SECTION.as_bytes());
        contents.extend(self.json());
        let mut section = vec![CUSTOM];
        section.extend(leb128(contents.len()));
        section.extend(contents);
        section
    }

    /// A component with it at the end.
    #[must_use]
    pub fn append(&self, component: &[u8]) -> Vec<u8> {
        [component, &self.section()].concat()
    }

    fn json(&self) -> Vec<u8> {
        // Strings, numbers and lists can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn check_itself(&self) -> Result<(), String> {
        let need = |is_so: bool, why: &str| if is_so { Ok(()) } else { Err(why.to_owned()) };
        need(self.json().len() <= LONGEST, &format!("it is longer than {LONGEST} bytes"))?;
        need(self.manifest == FORMAT, &format!("its form is {}, and this agent knows {FORMAT}", self.manifest))?;
        need(
            names::is_module(&self.name),
            &format!(
                "'{}' is not a name of a module: it {}; take your domain name turned round and a word, as com.example.backup",
                self.name,
                names::vendor_module_fault(&self.name).unwrap_or_default()
            ),
        )?;
        need(
            !self.version.is_empty()
                && self.version.len() <= VERSION
                && self.version.bytes().all(|byte| byte.is_ascii_graphic()),
            &format!("the version must have 1 to {VERSION} ASCII characters and no blanks"),
        )?;
        need(self.counter > 0, "the counter must be 1 or more")?;
        need(
            numbers(&self.agent).is_some(),
            &format!("the oldest agent '{}' is not a version: write it like 0.1.0", self.agent),
        )?;
        need(
            !self.description.trim().is_empty()
                && self.description.len() <= DESCRIPTION
                && !self.description.contains(char::is_control),
            &format!("the description must be one line of {DESCRIPTION} bytes at the most"),
        )?;
        need(
            (1..=COMMANDS).contains(&self.commands.len()),
            &format!("it has {} commands, and can have 1 to {COMMANDS}", self.commands.len()),
        )?;
        need(
            self.self_test.len() <= SELF_TESTS,
            &format!("the self-test has {} requests, and can have {SELF_TESTS}", self.self_test.len()),
        )
    }

    fn check_commands(&self) -> Result<Schema, String> {
        let schema = Schema::parse(&self.name, &self.schema).map_err(|error| format!("the schema: {error}"))?;
        let mut seen = BTreeSet::new();
        for command in &self.commands {
            let name = &command.name;
            if !seen.insert(name) {
                return Err(format!("the command {name} is there twice"));
            }
            if names::is_vendor_module(&self.name) && !names::may_own(&self.name, name) {
                return Err(format!(
                    "{name} cannot be a command of {module}: those begin with __{module}_, or with a part of it that ends before a dot",
                    module = self.name
                ));
            }
            let said = schema.command(name).ok_or_else(|| format!("the command {name} is not in the schema"))?;
            command.agrees(said)?;
        }
        if let Some(other) = schema.commands.iter().find(|command| !seen.contains(&command.name)) {
            return Err(format!("the schema has the command {}, and the manifest does not", other.name));
        }
        for test in &self.self_test {
            if !seen.contains(&test.execute) {
                return Err(format!("the self-test executes {}, which is not a command of the module", test.execute));
            }
            test.check()?;
        }
        Ok(schema)
    }
}

impl Command {
    fn agrees(&self, schema: &bulkhead_schema::Command) -> Result<(), String> {
        let differs = |what: &str| Err(format!("the schema says otherwise about {}: {what}", self.name));
        if self.while_frozen != schema.allowed_while_frozen {
            return differs("whether it answers while file systems are frozen ('allowed-while-frozen')");
        }
        if self.success_response != schema.success_response {
            return differs("whether success is answered ('success-response')");
        }
        let ours = self.arguments.iter().map(|argument| &argument.name);
        if !ours.eq(schema.arguments.iter().map(|argument| &argument.name)) {
            return differs("its arguments, or their order");
        }
        Ok(())
    }
}

impl SelfTest {
    fn check(&self) -> Result<(), String> {
        let object: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_str(&self.arguments);
        object.map_err(|error| {
            format!("the arguments of a self-test of {} are not a JSON object: {error}", self.execute)
        })?;
        if let Expect::Return(text) = &self.expect {
            serde_json::from_str::<serde_json::Value>(text)
                .map_err(|error| format!("what a self-test of {} expects is not JSON: {error}", self.execute))?;
        }
        Ok(())
    }
}

/// A version of three numbers.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let numbers: Option<Vec<u64>> = version.split('.').map(number).collect();
    numbers?.try_into().ok()
}

/// A length as wasm writes it: seven bits in a byte, the lowest first, and the eighth bit in all but the last.
fn leb128(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes
}

#[cfg(test)]
mod tests;
