//! From the text of a schema to commands and types.

use crate::doc::Comment;
use crate::error::Fault;
use crate::names;
use crate::reader::{Dialect, Reader};
use crate::schema::{Alternate, Command, Definition, Enum, Schema, Struct, Union};
use crate::value::Node;
use keys::{Keys, boolean};

mod keys;
mod members;

/// Where things stand in the text, for the errors of later checks.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Every command and type: its name and where its definition starts.
    pub(crate) definitions: Vec<(String, usize)>,
    /// Every type that is referred to by name, and where.
    pub(crate) references: Vec<(String, usize)>,
}

/// Reads all definitions. What they mean to each other is not looked at.
pub(crate) fn read(module: &str, text: &str) -> Result<(Schema, Places), Fault> {
    let mut schema = Schema { module: module.to_owned(), commands: Vec::new(), types: Vec::new() };
    let mut places = Places::default();
    let mut reader = Reader::new(text, Dialect::Schema);
    let mut comment = None;
    loop {
        reader.skip_space();
        let at = reader.at();
        if reader.rest().is_empty() {
            break;
        } else if is_doc_mark(reader.rest()) {
            refuse_stray(comment.replace(read_comment(&mut reader)?))?;
        } else if reader.rest().starts_with('#') {
            reader.line();
        } else {
            let node = reader.value()?;
            let comment =
                comment.take().ok_or_else(|| Fault::new(at, "a definition needs a '##' comment before it"))?;
            define(&mut schema, &mut places, comment, node)?;
        }
    }
    refuse_stray(comment)?;
    Ok((schema, places))
}

/// Whether the next line opens or closes a documentation comment.
fn is_doc_mark(rest: &str) -> bool {
    rest.lines().next().is_some_and(|line| line.trim_end() == "##")
}

/// A documentation comment; its opening `##` is next.
fn read_comment(reader: &mut Reader<'_>) -> Result<Comment, Fault> {
    let start = reader.at();
    reader.line();
    let mut lines = Vec::new();
    while !is_doc_mark(reader.rest()) {
        if reader.rest().is_empty() {
            return Err(Fault::new(start, "this comment has no closing '##'"));
        }
        let at = reader.at();
        lines.push((at, reader.line()));
    }
    reader.line();
    Comment::parse(start, &lines)
}

fn refuse_stray(comment: Option<Comment>) -> Result<(), Fault> {
    match comment {
        Some(comment) => {
            Err(Fault::new(comment.at, format!("no definition follows the comment on {}", comment.symbol)))
        }
        None => Ok(()),
    }
}

/// Reads one definition: an object whose first member tells what it defines, and under which name.
fn define(schema: &mut Schema, places: &mut Places, mut comment: Comment, node: Node) -> Result<(), Fault> {
    let at = node.at;
    let mut keys = Keys::of(node)?;
    let (kind, name_at, name) = keys.subject()?;
    let is_name = match kind.as_str() {
        "command" => names::is_command_name,
        "struct" | "enum" | "alternate" | "union" => names::is_type_name,
        _ => {
            return Err(Fault::new(
                at,
                format!("'{kind}' is not supported; expected command, struct, enum, alternate or union"),
            ));
        }
    };
    if !is_name(&name) {
        return Err(Fault::new(name_at, format!("'{name}' cannot be the name of a {kind}")));
    }
    if comment.symbol != name {
        return Err(Fault::new(comment.at, format!("expected a comment on {name}, found one on {}", comment.symbol)));
    }
    places.definitions.push((name.clone(), at));
    match kind.as_str() {
        "command" => schema.commands.push(command(name, &mut keys, comment, places)?),
        "struct" => {
            let members = members::of_object(keys.required("data")?, &mut comment, places)?;
            schema.types.push(Definition::Struct(Struct { name, doc: comment.finish()?, members }));
        }
        "enum" => {
            let values = members::of_enum(keys.required("data")?, &mut comment)?;
            schema.types.push(Definition::Enum(Enum { name, doc: comment.finish()?, values }));
        }
        "alternate" => {
            let branches = members::branches(keys.required("data")?, &mut comment, places)?;
            schema.types.push(Definition::Alternate(Alternate { name, doc: comment.finish()?, branches }));
        }
        _ => {
            let base = keys.required("base")?;
            let discriminator = members::discriminator(base, keys.required("discriminator")?, &mut comment, places)?;
            let branches = members::branches(keys.required("data")?, &mut comment, places)?;
            schema.types.push(Definition::Union(Union { name, doc: comment.finish()?, discriminator, branches }));
        }
    }
    keys.finish(&kind)
}

fn command(name: String, keys: &mut Keys, mut comment: Comment, places: &mut Places) -> Result<Command, Fault> {
    let arguments = keys.take("data").map(|data| members::of_object(data, &mut comment, places)).transpose()?;
    let returns = keys.take("returns").map(|ty| members::reference(ty, places)).transpose()?;
    let success_response = keys.take("success-response").map(boolean).transpose()?;
    let allowed = keys.take("features").map(|it| members::has_feature(it, "allowed-while-frozen")).transpose()?;
    Ok(Command {
        name,
        doc: comment.finish()?,
        arguments: arguments.unwrap_or_default(),
        returns,
        success_response: success_response.unwrap_or(true),
        allowed_while_frozen: allowed.unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Type;

    const PING: &str = "##\n# @guest-x: text\n# Since: 1\n##\n";

    fn fault(text: &str) -> String {
        read("test", text).unwrap_err().message
    }

    #[test]
    fn a_command_in_full() {
        let text = "# a file\n\n##\n# @guest-x: text\n# @a: first\n# @b-c: second\n# Since: 1\n##\n# aside\n\
                    { 'command': 'guest-x',\n\
                    'data': { 'a': { 'type': 'str', 'features': [ 'streamed' ] }, '*b-c': [ 'T' ] },\n\
                    'returns': 'int', 'success-response': false, 'features': [ 'allowed-while-frozen' ] }";
        let (schema, places) = read("test", text).unwrap();
        let command = schema.command("guest-x").unwrap();
        assert!(!command.success_response && command.allowed_while_frozen);
        assert_eq!(command.returns, Type::built_in("int"));
        let [first, second] = command.arguments.as_slice() else { panic!("two arguments") };
        assert!(first.streamed && !first.optional && !second.streamed && second.optional);
        assert_eq!((second.name.as_str(), second.doc.as_str()), ("b-c", "second"));
        assert_eq!(second.ty, Type::List(Box::new(Type::Named("T".to_owned()))));
        assert_eq!(places.references, [("T".to_owned(), text.find("'T'").unwrap())]);
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        let refused = [
            ("{ 'event': 'X' }", "'event' is not supported; expected command, struct, enum, alternate or union"),
            (
                "{ 'include': 'x.json' }",
                "'include' is not supported; expected command, struct, enum, alternate or union",
            ),
            ("{ 'command': 'guest-x', 'if': 'CONFIG_X' }", "'if' is not supported in a command"),
            (
                "{ 'command': 'guest-x', 'features': [ 'deprecated' ] }",
                "unknown feature 'deprecated'; expected 'allowed-while-frozen'",
            ),
            ("{ 'command': 'Guest' }", "'Guest' cannot be the name of a command"),
            ("{ 'command': 'guest-x', 'data': 'X' }", "expected an object, found str"),
            ("{ 'command': 'guest-x', 'data': { 'a': 'int' } }", "'@a:' is not documented"),
            ("{ 'command': 'guest-x', 'success-response': 'no' }", "expected true or false, found str"),
            ("{ 'command': 'guest-x', 'returns': [ 'int', 'int' ] }", "expected one type in the list"),
            ("{ 'struct': 'X' }", "expected a comment on X, found one on guest-x"),
            ("[ 'command' ]", "expected an object, found list"),
            ("{}", "an empty definition"),
        ];
        for (text, expected) in refused {
            assert_eq!(fault(&format!("{PING}{text}")), expected);
        }
    }

    #[test]
    fn members_are_checked() {
        let with = |data: &str| {
            fault(&format!("##\n# @X: text\n# @a: a\n# Since: 1\n##\n{{ 'struct': 'X', 'data': {data} }}"))
        };
        assert_eq!(
            with("{ 'a': { 'type': 'int', 'features': [ 'streamed' ] } }"),
            "only a str can be streamed, and 'a' is int"
        );
        assert_eq!(with("{ 'a': { 'features': [] } }"), "'type' is missing");
        assert_eq!(with("{ 'a': 'int', '*a': 'int' }"), "'a' clashes with a name before it");
        assert_eq!(with("{ 'A': 'int' }"), "'A' cannot be a name here; expected lower case, digits, '-' and '_'");
        assert_eq!(with("{}"), "'@a:' documents what is not there");
    }

    #[test]
    fn the_base_of_a_union_is_its_discriminator() {
        let with = |rest: &str| {
            fault(&format!(
                "##\n# @X: text\n# @a: a\n# @b: b\n# Since: 1\n##\n{{ 'union': 'X', {rest}, 'data': {{}} }}"
            ))
        };
        assert_eq!(with("'discriminator': 'a'"), "'base' is missing");
        assert_eq!(with("'base': { 'a': 'E' }"), "'discriminator' is missing");
        assert_eq!(with("'base': 'X', 'discriminator': 'a'"), "expected an object, found str");
        let other = "the base of a union must be its discriminator and nothing else";
        assert_eq!(with("'base': {}, 'discriminator': 'a'"), other);
        assert_eq!(with("'base': { 'a': 'E' }, 'discriminator': 'b'"), other);
        assert_eq!(with("'base': { 'a': 'E', 'b': 'E' }, 'discriminator': 'a'"), other);
        assert_eq!(with("'base': { '*a': 'E' }, 'discriminator': 'a'"), "'a' cannot be optional");
    }

    #[test]
    fn comments_and_definitions_come_in_pairs() {
        assert_eq!(fault("{ 'command': 'guest-x' }"), "a definition needs a '##' comment before it");
        assert_eq!(fault(PING), "no definition follows the comment on guest-x");
        assert_eq!(fault(&format!("{PING}{PING}")), "no definition follows the comment on guest-x");
        assert_eq!(fault("##\n# @guest-x: text\n"), "this comment has no closing '##'");
    }
}
