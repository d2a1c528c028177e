//! What stands in the `data` of a definition.

use super::Places;
use super::keys::{Keys, list, text};
use crate::doc::Comment;
use crate::error::Fault;
use crate::names;
use crate::schema::{Branch, EnumValue, Member};
use crate::types::Type;
use crate::value::{Entry, Node, Value};

/// The members of a struct, or the arguments of a command.
pub(super) fn of_object(data: Node, comment: &mut Comment, places: &mut Places) -> Result<Vec<Member>, Fault> {
    let mut seen = Vec::new();
    let mut members = Vec::new();
    for Entry { at, name, node } in entries(data)? {
        let (name, optional) = match name.strip_prefix('*') {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        unique(&mut seen, at, name)?;
        let type_at = node.at;
        let (ty, streamed) = match node.value {
            Value::Object(_) => {
                let mut keys = Keys::of(node)?;
                let ty = reference(keys.required("type")?, places)?;
                let streamed = keys.take("features").map(|it| has_feature(it, "streamed")).transpose()?;
                keys.finish("member")?;
                (ty, streamed.unwrap_or(false))
            }
            _ => (reference(node, places)?, false),
        };
        if streamed && ty != Type::Str {
            return Err(Fault::new(type_at, format!("only a str can be streamed, and '{name}' is {ty}")));
        }
        members.push(Member { name: name.to_owned(), doc: comment.take_member(at, name)?, ty, optional, streamed });
    }
    Ok(members)
}

/// The member that tells what other members a union has. It is the whole base: no union of qemu-ga's has more in it.
pub(super) fn discriminator(
    base: Node,
    name: Node,
    comment: &mut Comment,
    places: &mut Places,
) -> Result<Member, Fault> {
    let at = base.at;
    let name = text(name)?;
    let mut members = of_object(base, comment, places)?;
    match members.pop() {
        Some(member) if member.name == name && members.is_empty() => {
            if member.optional {
                return Err(Fault::new(at, format!("'{name}' cannot be optional")));
            }
            Ok(member)
        }
        _ => Err(Fault::new(at, "the base of a union must be its discriminator and nothing else")),
    }
}

/// The branches of an alternate or a union.
pub(super) fn branches(data: Node, comment: &mut Comment, places: &mut Places) -> Result<Vec<Branch>, Fault> {
    let mut seen = Vec::new();
    let mut branches = Vec::new();
    for Entry { at, name, node } in entries(data)? {
        unique(&mut seen, at, &name)?;
        let ty = reference(node, places)?;
        branches.push(Branch { doc: comment.take_member(at, &name)?, name, ty });
    }
    Ok(branches)
}

/// The words of an enum.
pub(super) fn of_enum(data: Node, comment: &mut Comment) -> Result<Vec<EnumValue>, Fault> {
    let mut seen = Vec::new();
    let mut values = Vec::new();
    for node in list(data)? {
        let at = node.at;
        let name = text(node)?;
        unique(&mut seen, at, &name)?;
        values.push(EnumValue { doc: comment.take_member(at, &name)?, name });
    }
    Ok(values)
}

/// A type: its name, or a list with the name of its items' type.
pub(super) fn reference(node: Node, places: &mut Places) -> Result<Type, Fault> {
    let at = node.at;
    if let Value::List(_) = node.value {
        let mut items = list(node)?;
        return match (items.pop(), items.is_empty()) {
            (Some(item), true) => Ok(Type::List(Box::new(reference(item, places)?))),
            _ => Err(Fault::new(at, "expected one type in the list")),
        };
    }
    let name = text(node)?;
    if let Some(built_in) = Type::built_in(&name) {
        return Ok(built_in);
    }
    places.references.push((name.clone(), at));
    Ok(Type::Named(name))
}

/// Whether the list of features holds `known`; any other feature is an error, because nothing would act on it.
pub(super) fn has_feature(features: Node, known: &str) -> Result<bool, Fault> {
    let mut found = false;
    for node in list(features)? {
        let at = node.at;
        let feature = text(node)?;
        if feature != known {
            return Err(Fault::new(at, format!("unknown feature '{feature}'; expected '{known}'")));
        }
        found = true;
    }
    Ok(found)
}

fn entries(data: Node) -> Result<Vec<Entry>, Fault> {
    match data.value {
        Value::Object(entries) => Ok(entries),
        other => Err(Fault::new(data.at, format!("expected an object, found {}", other.kind()))),
    }
}

/// Refuses a name that is no name, or that would be the same Rust identifier as one before it.
fn unique(seen: &mut Vec<String>, at: usize, name: &str) -> Result<(), Fault> {
    if !names::is_wire_name(name) {
        return Err(Fault::new(
            at,
            format!("'{name}' cannot be a name here; expected lower case, digits, '-' and '_'"),
        ));
    }
    let identifier = names::camel_case(name);
    if seen.contains(&identifier) {
        return Err(Fault::new(at, format!("'{name}' clashes with a name before it")));
    }
    seen.push(identifier);
    Ok(())
}
