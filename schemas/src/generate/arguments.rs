//! The arguments of a command.

use super::{docs, member_type, take_members};
use crate::names;
use crate::schema::Command;

/// Writes the struct and how it is made from the members of the request's arguments.
pub(super) fn write(out: &mut String, command: &Command) {
    let name = format!("{}Arguments", names::command_type(&command.name));
    out.push('\n');
    docs::definition(out, &command.doc);
    if command.arguments.is_empty() {
        *out += &format!("pub struct {name};\n");
    } else {
        *out += &format!("pub struct {name} {{\n");
        for member in &command.arguments {
            docs::text(out, "    ", &member.doc);
            *out += &format!("    pub {}: {},\n", names::field(&member.name), member_type(member));
        }
        *out += "}\n";
    }
    let members = if command.arguments.is_empty() { "_members" } else { "members" };
    *out += &format!("\nimpl bulkhead_module::FromArguments for {name} {{\n");
    *out += &format!("    fn from_arguments({members}: &mut bulkhead_module::Members) ");
    *out += "-> Result<Self, bulkhead_module::CommandError> {\n";
    if command.arguments.is_empty() {
        *out += "        Ok(Self)\n";
    } else {
        *out += "        Ok(Self {\n";
        take_members(out, &command.arguments, "            ");
        *out += "        })\n";
    }
    *out += "    }\n}\n";
}
