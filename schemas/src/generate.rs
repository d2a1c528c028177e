//! Writes Rust.

mod arguments;
mod audit;
mod docs;
mod table;
mod types;

pub use audit::{DecisionError, argument_table};
pub use table::{TableError, command_table};

use crate::names;
use crate::schema::{Member, Schema};
use crate::types::Type;

/// The types of a guest module's arguments and returns, to be included in the module.
///
/// A command `guest-file-read` becomes `GuestFileReadArguments`, which implements `bulkhead_module::FromArguments`; of a
/// vendor's `__com.example_backup-status` the domain is left out: `BackupStatusArguments`.
/// A type keeps its name; it implements `bulkhead_module::FromJson` if arguments are made of it, and
/// `serde::Serialize` if returns are. `COMMANDS` lists the names of the commands.
#[must_use]
pub fn rust(schema: &Schema) -> String {
    let mut out = format!("// Made by bulkhead-schema from {}.json.\n\n", schema.module);
    out += "/// The commands of this module, in the order of its schema.\n";
    out += "pub const COMMANDS: &[&str] = &[\n";
    for command in &schema.commands {
        out += &format!("    \"{}\",\n", command.name);
    }
    out += "];\n";
    for command in &schema.commands {
        arguments::write(&mut out, command);
    }
    types::write(&mut out, schema);
    out
}

/// A type as Rust writes it.
fn rust_type(ty: &Type) -> String {
    match ty {
        Type::Int(integer) => integer.rust.to_owned(),
        Type::Number => "f64".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Str => "String".to_owned(),
        Type::List(item) => format!("Vec<{}>", rust_type(item)),
        Type::Named(name) => name.clone(),
    }
}

/// A member's type as Rust writes it.
fn member_type(member: &Member) -> String {
    let ty = if member.streamed { "bulkhead_module::Streamed".to_owned() } else { rust_type(&member.ty) };
    if member.optional { format!("Option<{ty}>") } else { ty }
}

/// The body of a struct literal which takes each member from `members`.
fn take_members(out: &mut String, members: &[Member], indent: &str) {
    for member in members {
        let how = if member.optional { "optional" } else { "required" };
        *out += &format!("{indent}{}: members.{how}(\"{}\")?,\n", names::field(&member.name), member.name);
    }
}
