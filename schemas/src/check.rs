//! Whether the definitions of a schema fit together.

use crate::definition::Places;
use crate::error::Fault;
use crate::reach;
use crate::schema::{Alternate, Definition, Schema, Union};
use crate::types::Type;

/// Checks names, references, alternates and unions.
pub(crate) fn consistent(schema: &Schema, places: &Places) -> Result<(), Fault> {
    for (index, (name, at)) in places.definitions.iter().enumerate() {
        if places.definitions[..index].iter().any(|(before, _)| before == name) {
            return Err(Fault::new(*at, format!("{name} is defined twice")));
        }
    }
    for (name, at) in &places.references {
        if schema.definition(name).is_none() {
            return Err(Fault::new(*at, format!("there is no type '{name}'")));
        }
    }
    for command in &schema.commands {
        if command.returns.is_some() != command.doc.returns.is_some() {
            let problem = "a command has 'returns' and a comment 'Returns:', or neither";
            return Err(Fault::new(place(places, &command.name), problem));
        }
    }
    let (arguments, returns) = (reach::from_arguments(schema), reach::from_returns(schema));
    for definition in &schema.types {
        let name = definition.name();
        if !arguments.contains(name) && !returns.contains(name) {
            return Err(Fault::new(place(places, name), format!("no command uses {name}")));
        }
        if definition.doc().returns.is_some() {
            return Err(Fault::new(place(places, name), "only the comment on a command has 'Returns:'"));
        }
        match definition {
            // What would have to be read piece by piece must be in reach of the one who reads, not inside a value.
            Definition::Struct(it) if it.members.iter().any(|member| member.streamed) => {
                return Err(Fault::new(place(places, name), "only an argument of a command can be streamed"));
            }
            Definition::Alternate(it) => {
                distinct(schema, it).map_err(|problem| Fault::new(place(places, name), problem))?
            }
            Definition::Union(_) if arguments.contains(name) => {
                let problem = format!("{name} is a union, of which only returns can be made, not arguments");
                return Err(Fault::new(place(places, name), problem));
            }
            Definition::Union(it) => {
                discriminated(schema, it).map_err(|problem| Fault::new(place(places, name), problem))?
            }
            _ => {}
        }
    }
    Ok(())
}

/// The kinds of JSON value by which the branches of an alternate are told apart. Integers and other numbers are one
/// kind, as in QAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Bool,
    Str,
    List,
    Object,
}

/// The kind of JSON value that a type has; an alternate has several.
pub(crate) fn kind(schema: &Schema, ty: &Type) -> Option<Kind> {
    match ty {
        Type::Int(_) | Type::Number => Some(Kind::Number),
        Type::Bool => Some(Kind::Bool),
        Type::Str => Some(Kind::Str),
        Type::List(_) => Some(Kind::List),
        Type::Named(name) => match schema.definition(name)? {
            Definition::Struct(_) | Definition::Union(_) => Some(Kind::Object),
            Definition::Enum(_) => Some(Kind::Str),
            Definition::Alternate(_) => None,
        },
    }
}

/// Checks that no two branches have the same kind of JSON value.
fn distinct(schema: &Schema, alternate: &Alternate) -> Result<(), String> {
    let mut seen = Vec::new();
    for branch in &alternate.branches {
        let kind = kind(schema, &branch.ty).ok_or_else(|| format!("'{}' cannot be an alternate", branch.name))?;
        if seen.contains(&kind) {
            return Err(format!("'{}' cannot be told from a branch before it", branch.name));
        }
        seen.push(kind);
    }
    Ok(())
}

/// Checks that the discriminator is an enum, and that each branch is one of its words with a struct behind it.
fn discriminated(schema: &Schema, union: &Union) -> Result<(), String> {
    let tag = &union.discriminator;
    let Some(Definition::Enum(words)) = schema.named(&tag.ty) else {
        return Err(format!("the discriminator '{}' is not an enum", tag.name));
    };
    for branch in &union.branches {
        if !words.values.iter().any(|word| word.name == branch.name) {
            return Err(format!("'{}' is not a value of {}", branch.name, words.name));
        }
        let Some(Definition::Struct(it)) = schema.named(&branch.ty) else {
            return Err(format!("the branch '{}' is not a struct", branch.name));
        };
        if it.members.iter().any(|member| member.name == tag.name) {
            return Err(format!("{} has a member '{}', as the discriminator is called", it.name, tag.name));
        }
    }
    Ok(())
}

fn place(places: &Places, name: &str) -> usize {
    places.definitions.iter().find(|(defined, _)| defined == name).map_or(0, |(_, at)| *at)
}

#[cfg(test)]
mod tests {
    use crate::Schema;

    /// A schema from `(name, members, definition)`, each with a comment that documents the members.
    fn error(definitions: &[(&str, &str, &str)]) -> String {
        let mut text = String::new();
        for (name, members, definition) in definitions {
            let members: String = members.split_whitespace().map(|member| format!("# @{member}: m\n")).collect();
            let returns = if definition.contains("'returns'") { "# Returns: r\n" } else { "" };
            text += &format!("##\n# @{name}: d\n{members}{returns}# Since: 1\n##\n{definition}\n");
        }
        Schema::parse("test", &text).map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
    }

    #[test]
    fn definitions_must_fit_together() {
        let ping = ("guest-x", "", "{ 'command': 'guest-x' }");
        assert_eq!(error(&[ping]), "accepted");
        assert_eq!(error(&[ping, ping]), "test.json:10:1: guest-x is defined twice");
        let unknown = ("guest-x", "", "{ 'command': 'guest-x', 'returns': [ 'Y' ] }");
        assert_eq!(error(&[unknown]), "test.json:6:38: there is no type 'Y'");
        let unused = ("X", "", "{ 'enum': 'X', 'data': [] }");
        assert_eq!(error(&[ping, unused]), "test.json:10:1: no command uses X");
    }

    #[test]
    fn returns_are_documented_where_there_are_some() {
        let documented = "##\n# @guest-x: d\n# Returns: r\n# Since: 1\n##\n{ 'command': 'guest-x' }";
        let error = Schema::parse("test", documented).unwrap_err();
        assert_eq!(error.to_string(), "test.json:6:1: a command has 'returns' and a comment 'Returns:', or neither");
        let undocumented = "##\n# @guest-x: d\n# Since: 1\n##\n{ 'command': 'guest-x', 'returns': 'int' }";
        assert_eq!(Schema::parse("test", undocumented).unwrap_err().message, error.message);
    }

    #[test]
    fn only_arguments_are_streamed() {
        let command = ("guest-x", "a", "{ 'command': 'guest-x', 'data': { 'a': 'X' } }");
        let inner = ("X", "b", "{ 'struct': 'X', 'data': { 'b': { 'type': 'str', 'features': [ 'streamed' ] } } }");
        assert_eq!(error(&[command, inner]), "test.json:12:1: only an argument of a command can be streamed");
    }

    #[test]
    fn branches_of_an_alternate_differ_in_kind() {
        let with = |data: &str| {
            let command = ("guest-x", "", "{ 'command': 'guest-x', 'returns': 'X' }");
            let words = ("E", "w", "{ 'enum': 'E', 'data': [ 'w' ] }");
            error(&[command, ("X", "a b", &format!("{{ 'alternate': 'X', 'data': {data} }}")), words])
        };
        assert_eq!(with("{ 'a': 'int', 'b': 'E' }"), "accepted");
        assert!(with("{ 'a': 'str', 'b': 'E' }").contains("'b' cannot be told from a branch before it"));
        assert!(with("{ 'a': 'int', 'b': 'number' }").contains("'b' cannot be told from a branch before it"));
        assert!(with("{ 'a': 'E', 'b': 'X' }").contains("'b' cannot be an alternate"));
    }
    #[test]
    fn branches_of_a_union_are_words_with_structs() {
        let with = |tag: &str, data: &str| {
            let command = ("guest-x", "", "{ 'command': 'guest-x', 'returns': [ 'U' ] }");
            let also = ("guest-y", "", "{ 'command': 'guest-y', 'returns': 'S' }");
            let words = ("E", "a b", "{ 'enum': 'E', 'data': [ 'a', 'b' ] }");
            let members = ("S", "m", "{ 'struct': 'S', 'data': { 'm': 'E' } }");
            let union =
                format!("{{ 'union': 'U', 'base': {{ '{tag}': 'E' }}, 'discriminator': '{tag}', 'data': {data} }}");
            let documented = if data.contains("'c'") { format!("{tag} c") } else { format!("{tag} a") };
            error(&[command, also, words, members, ("U", &documented, &union)])
        };
        assert_eq!(with("t", "{ 'a': 'S' }"), "accepted");
        assert_eq!(with("t", "{ 'c': 'S' }"), "test.json:32:1: 'c' is not a value of E");
        assert_eq!(with("t", "{ 'a': 'E' }"), "test.json:32:1: the branch 'a' is not a struct");
        assert_eq!(with("m", "{ 'a': 'S' }"), "test.json:32:1: S has a member 'm', as the discriminator is called");
        let command = ("guest-x", "", "{ 'command': 'guest-x', 'returns': 'U' }");
        let untold = "{ 'union': 'U', 'base': { 't': 'str' }, 'discriminator': 't', 'data': {} }";
        assert_eq!(error(&[command, ("U", "t", untold)]), "test.json:12:1: the discriminator 't' is not an enum");
    }

    #[test]
    fn no_argument_is_made_of_a_union() {
        let command = ("guest-x", "u", "{ 'command': 'guest-x', 'data': { 'u': [ 'U' ] } }");
        let words = ("E", "a", "{ 'enum': 'E', 'data': [ 'a' ] }");
        let union = ("U", "t", "{ 'union': 'U', 'base': { 't': 'E' }, 'discriminator': 't', 'data': {} }");
        let refused = "test.json:18:1: U is a union, of which only returns can be made, not arguments";
        assert_eq!(error(&[command, words, union]), refused);
    }
}
