//! The commands of the agent, described once.
//!
//! Each guest module has a schema file beside this crate (`core.json`, `file.json`, ...) in QAPI's own schema
//! language. This crate reads it and makes from it
//!
//! - the Rust types of the module's arguments and returns ([`generate::rust`], called from its `build.rs` by
//!   [`generate_for`], or [`generate_from`] for a module with a schema file of its own),
//! - the host's table of commands ([`generate::command_table`]), and of arguments for the audit
//!   ([`generate::argument_table`]),
//! - for tests, the answer to "is this reply what the schema promises?" ([`Schema::check_return`]).
//!
//! It is a build dependency of many packages and so has no dependency itself.
//!
//! The road of a schema: `reader` turns text into values, `doc` reads the comments before them, `definition` makes
//! commands and types of both, `check` sees whether they fit together, [`generate`] writes Rust.

mod check;
mod definition;
mod doc;
mod error;
mod files;
pub mod generate;
mod names;
mod reach;
mod reader;
mod returns;
mod schema;
mod types;
mod value;

pub use doc::Doc;
pub use error::SchemaError;
pub use files::{BuildError, ORDER, generate_for, generate_from, load, load_all};
pub use generate::{DecisionError, TableError};
pub use returns::Mismatch;
pub use schema::{Alternate, Branch, Command, Definition, Enum, EnumValue, Member, Schema, Struct, Union};
pub use types::{Integer, Type};

#[cfg(test)]
mod recordings;
