//! What a schema says, as values.

use crate::{Doc, SchemaError, Type, check, definition};

/// The commands of one guest module and the types they use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The guest module, for instance `file`.
    pub module: String,
    /// In the order of the schema file.
    pub commands: Vec<Command>,
    /// In the order of the schema file.
    pub types: Vec<Definition>,
}

impl Schema {
    /// Reads the schema of `module`.
    ///
    /// Besides the grammar this checks that names are well-formed and unique, that every type is defined here and used
    /// by a command, that every definition has a comment which documents each member and nothing else, and that
    /// features are known and stand where they mean something.
    ///
    /// # Errors
    ///
    /// The first thing found wrong. What QAPI knows and this crate does not (events, `if`, `include`, ...) is an error
    /// too.
    pub fn parse(module: &str, text: &str) -> Result<Self, SchemaError> {
        let (schema, places) = definition::read(module, text).map_err(|fault| fault.locate(module, text))?;
        check::consistent(&schema, &places).map_err(|fault| fault.locate(module, text))?;
        Ok(schema)
    }

    /// The command of this name.
    #[must_use]
    pub fn command(&self, name: &str) -> Option<&Command> {
        self.commands.iter().find(|command| command.name == name)
    }

    /// The type of this name.
    #[must_use]
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        self.types.iter().find(|definition| definition.name() == name)
    }

    /// What `ty` refers to, if it is a type of this schema.
    pub(crate) fn named(&self, ty: &Type) -> Option<&Definition> {
        match ty {
            Type::Named(name) => self.definition(name),
            _ => None,
        }
    }
}

/// What a client can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// On the wire, for instance `guest-file-read`.
    pub name: String,
    /// What it does.
    pub doc: Doc,
    /// In the order in which they are checked.
    pub arguments: Vec<Member>,
    /// What a reply carries; without it an empty object.
    pub returns: Option<Type>,
    /// Whether there is a reply on success.
    pub success_response: bool,
    /// Whether it runs while the agent is in the frozen state.
    pub allowed_while_frozen: bool,
}

/// A type with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Definition {
    /// An object with declared members.
    Struct(Struct),
    /// One of several words.
    Enum(Enum),
    /// One of several types, told apart by the kind of JSON value.
    Alternate(Alternate),
    /// An object of which one member tells what other members there are.
    Union(Union),
}

impl Definition {
    /// Its name, for instance `GuestFileRead`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Struct(it) => &it.name,
            Self::Enum(it) => &it.name,
            Self::Alternate(it) => &it.name,
            Self::Union(it) => &it.name,
        }
    }

    /// What is said about it.
    #[must_use]
    pub fn doc(&self) -> &Doc {
        match self {
            Self::Struct(it) => &it.doc,
            Self::Enum(it) => &it.doc,
            Self::Alternate(it) => &it.doc,
            Self::Union(it) => &it.doc,
        }
    }
}

/// An object with declared members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Struct {
    /// For instance `GuestFileRead`.
    pub name: String,
    /// What it is.
    pub doc: Doc,
    /// In the order in which they are written.
    pub members: Vec<Member>,
}

/// One of several words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enum {
    /// For instance `QGASeek`.
    pub name: String,
    /// What it is.
    pub doc: Doc,
    /// The words.
    pub values: Vec<EnumValue>,
}

/// A word of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumValue {
    /// On the wire.
    pub name: String,
    /// What it means.
    pub doc: String,
}

/// One of several types, told apart by the kind of JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternate {
    /// For instance `GuestFileWhence`.
    pub name: String,
    /// What it is.
    pub doc: Doc,
    /// No two of them have the same kind of JSON value.
    pub branches: Vec<Branch>,
}

/// An object of which one member tells what other members there are. Only returns are made of unions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Union {
    /// For instance `GuestCpuStats`.
    pub name: String,
    /// What it is.
    pub doc: Doc,
    /// The member that tells. It is always there, and its type is an enum.
    pub discriminator: Member,
    /// Each is a word of that enum with a struct, whose members follow. With a word that has no branch nothing follows.
    pub branches: Vec<Branch>,
}

/// A type that an alternate or a union can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// In a union a word of the discriminator's enum; the name of an alternate's branch is not seen on the wire.
    pub name: String,
    /// What it means.
    pub doc: String,
    /// What the value is.
    pub ty: Type,
}

/// A member of a struct, or an argument of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// On the wire, without the `*` of optional members.
    pub name: String,
    /// What it means.
    pub doc: String,
    /// What its value is.
    pub ty: Type,
    /// Whether it may be absent.
    pub optional: bool,
    /// Whether the text may be long and is read piece by piece; only arguments of type `str`.
    pub streamed: bool,
}
