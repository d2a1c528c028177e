//! Structs, enums, alternates and unions.

use super::{docs, member_type, rust_type, take_members};
use crate::check::{self, Kind};
use crate::schema::{Alternate, Definition, Enum, Schema, Struct, Union};
use crate::{names, reach};

/// In which directions a type travels, and so what it must implement.
#[derive(Clone, Copy)]
struct Travels {
    /// In arguments: `FromJson`.
    inwards: bool,
    /// In returns: `Serialize`.
    outwards: bool,
}

/// Writes every type of the schema.
pub(super) fn write(out: &mut String, schema: &Schema) {
    let (arguments, returns) = (reach::from_arguments(schema), reach::from_returns(schema));
    for definition in &schema.types {
        let name = definition.name();
        let travels = Travels { inwards: arguments.contains(name), outwards: returns.contains(name) };
        out.push('\n');
        match definition {
            Definition::Struct(it) => write_struct(out, it, travels),
            Definition::Enum(it) => write_enum(out, it, travels),
            Definition::Alternate(it) => write_alternate(out, it, travels, schema),
            Definition::Union(it) => write_union(out, it, travels, schema),
        }
    }
}

fn write_struct(out: &mut String, it: &Struct, travels: Travels) {
    docs::definition(out, &it.doc);
    derive(out, "Debug", travels);
    *out += &format!("pub struct {} {{\n", it.name);
    for member in &it.members {
        let field = names::field(&member.name);
        docs::text(out, "    ", &member.doc);
        let mut attributes = Vec::new();
        if field.trim_start_matches("r#") != member.name {
            attributes.push(format!("rename = \"{}\"", member.name));
        }
        if member.optional {
            attributes.push("skip_serializing_if = \"Option::is_none\"".to_owned());
        }
        if travels.outwards && !attributes.is_empty() {
            *out += &format!("    #[serde({})]\n", attributes.join(", "));
        }
        *out += &format!("    pub {field}: {},\n", member_type(member));
    }
    *out += "}\n";
    from_json(out, &it.name, travels, |out| {
        *out += "        let mut members = bulkhead_module::Members::of(value, at)?;\n";
        *out += "        let it = Self {\n";
        take_members(out, &it.members, "            ");
        *out += "        };\n        members.finish()?;\n        Ok(it)\n";
    });
}

fn write_enum(out: &mut String, it: &Enum, travels: Travels) {
    docs::definition(out, &it.doc);
    derive(out, "Clone, Copy, Debug, PartialEq, Eq", travels);
    *out += &format!("pub enum {} {{\n", it.name);
    for value in &it.values {
        docs::text(out, "    ", &value.doc);
        if travels.outwards {
            *out += &format!("    #[serde(rename = \"{}\")]\n", value.name);
        }
        *out += &format!("    {},\n", names::camel_case(&value.name));
    }
    *out += "}\n";
    from_json(out, &it.name, travels, |out| {
        *out += "        match bulkhead_module::enum_text(value, at)?.as_str() {\n";
        for value in &it.values {
            *out += &format!("            \"{}\" => Ok(Self::{}),\n", value.name, names::camel_case(&value.name));
        }
        *out += "            other => Err(at.bad_value(other)),\n        }\n";
    });
}

fn write_alternate(out: &mut String, it: &Alternate, travels: Travels, schema: &Schema) {
    docs::definition(out, &it.doc);
    derive(out, "Debug", travels);
    if travels.outwards {
        *out += "#[serde(untagged)]\n";
    }
    *out += &format!("pub enum {} {{\n", it.name);
    for branch in &it.branches {
        docs::text(out, "    ", &branch.doc);
        *out += &format!("    {}({}),\n", names::camel_case(&branch.name), rust_type(&branch.ty));
    }
    *out += "}\n";
    from_json(out, &it.name, travels, |out| {
        *out += "        match bulkhead_module::Kind::of(&value) {\n";
        for branch in &it.branches {
            let kinds = check::kind(schema, &branch.ty).map_or("_", |kind| match kind {
                // A floating point number where an integer is wanted gets the integer's error, not the alternate's.
                Kind::Number => "bulkhead_module::Kind::Int | bulkhead_module::Kind::Number",
                Kind::Bool => "bulkhead_module::Kind::Bool",
                Kind::Str => "bulkhead_module::Kind::Str",
                Kind::List => "bulkhead_module::Kind::List",
                Kind::Object => "bulkhead_module::Kind::Object",
            });
            let variant = names::camel_case(&branch.name);
            *out += &format!("            {kinds} => {{\n");
            *out += &format!("                bulkhead_module::FromJson::from_json(value, at).map(Self::{variant})\n");
            *out += "            }\n";
        }
        *out += &format!("            _ => Err(at.bad_type(\"{}\")),\n        }}\n", it.name);
    });
}

/// A union becomes an enum with a variant for each word of its discriminator. On the wire the members of a variant's
/// struct stand beside the discriminator, not within a member of their own.
fn write_union(out: &mut String, it: &Union, travels: Travels, schema: &Schema) {
    docs::definition(out, &it.doc);
    derive(out, "Debug", travels);
    *out += &format!("#[serde(tag = \"{}\")]\n", it.discriminator.name);
    *out += &format!("pub enum {} {{\n", it.name);
    // The checks have seen that there is this enum.
    let Some(Definition::Enum(words)) = schema.named(&it.discriminator.ty) else { return };
    for word in &words.values {
        let branch = it.branches.iter().find(|branch| branch.name == word.name);
        docs::text(out, "    ", branch.map_or(&word.doc, |branch| &branch.doc));
        *out += &format!("    #[serde(rename = \"{}\")]\n", word.name);
        let members = branch.map_or(String::new(), |branch| format!("({})", rust_type(&branch.ty)));
        *out += &format!("    {}{members},\n", names::camel_case(&word.name));
    }
    *out += "}\n";
}

fn derive(out: &mut String, traits: &str, travels: Travels) {
    let serialize = if travels.outwards { ", serde::Serialize" } else { "" };
    *out += &format!("#[derive({traits}{serialize})]\n");
}

/// Writes an `impl` of `FromJson` for a type that travels inwards.
fn from_json(out: &mut String, name: &str, travels: Travels, body: impl FnOnce(&mut String)) {
    if !travels.inwards {
        return;
    }
    *out += &format!("\nimpl bulkhead_module::FromJson for {name} {{\n");
    *out += "    fn from_json(\n";
    *out += "        value: bulkhead_module::Json,\n";
    *out += "        at: &bulkhead_module::Path,\n";
    *out += "    ) -> Result<Self, bulkhead_module::CommandError> {\n";
    body(out);
    *out += "    }\n}\n";
}
