//! Which types travel in which direction.

use crate::schema::{Definition, Schema};
use crate::types::Type;
use std::collections::BTreeSet;

/// The names of the types that arguments are made of, however deep.
pub(crate) fn from_arguments(schema: &Schema) -> BTreeSet<&str> {
    let types = schema.commands.iter().flat_map(|command| &command.arguments).map(|member| &member.ty);
    from(schema, types)
}

/// The names of the types that returns are made of, however deep.
pub(crate) fn from_returns(schema: &Schema) -> BTreeSet<&str> {
    from(schema, schema.commands.iter().filter_map(|command| command.returns.as_ref()))
}

fn from<'a>(schema: &'a Schema, types: impl Iterator<Item = &'a Type>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&Type> = types.collect();
    while let Some(ty) = waiting.pop() {
        match ty {
            Type::List(item) => waiting.push(item),
            Type::Named(name) if reached.insert(name.as_str()) => match schema.definition(name) {
                Some(Definition::Struct(it)) => waiting.extend(it.members.iter().map(|member| &member.ty)),
                Some(Definition::Alternate(it)) => waiting.extend(it.branches.iter().map(|branch| &branch.ty)),
                Some(Definition::Union(it)) => {
                    waiting.push(&it.discriminator.ty);
                    waiting.extend(it.branches.iter().map(|branch| &branch.ty));
                }
                Some(Definition::Enum(_)) | None => {}
            },
            _ => {}
        }
    }
    reached
}
