//! The border between host and guest modules: what `wit/` says, and what a component as built has.

use crate::tree;
use std::collections::BTreeSet;
use std::fs;
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{InterfaceId, Resolve, SourceMap, WorldItem};

/// What every import's name begins with.
pub(crate) const PACKAGE: &str = "bulkhead:agent/";

/// The interfaces of the conversation itself. Every module may import them, so grants do not apply to them.
pub(crate) const CONVERSATION: &[&str] = &["log", "arguments", "reply"];

/// Everything in `wit/`. Plain `//` comments are left out: the parser would take them for documentation.
pub(crate) fn package() -> Resolve {
    let mut sources = SourceMap::default();
    for name in tree::names("wit", |path| path.extension().is_some_and(|extension| extension == "wit")) {
        let path = format!("wit/{name}");
        sources.push_str(&path, without_plain_comments(&tree::read(&path)));
    }
    let group = sources.parse().unwrap_or_else(|(_, error)| panic!("wit/: {error}"));
    let mut resolve = Resolve::default();
    resolve.push_group(group).unwrap_or_else(|error| panic!("wit/: {error}"));
    resolve
}

/// What the component of a guest module imports and exports, in the form that `make modules` left in the target folder.
pub(crate) fn component(module: &str) -> Border {
    let path = format!("target/wasm32-unknown-unknown/module/bulkhead_module_{module}.wasm");
    let bytes = fs::read(tree::root().join(&path))
        .unwrap_or_else(|error| panic!("cannot read {path}: {error}\nRun `make modules` to build the guest modules."));
    match decode(&bytes).unwrap_or_else(|error| panic!("{path}: {error:#}")) {
        DecodedWasm::Component(resolve, world) => Border::of(&resolve, &resolve.worlds[world]),
        DecodedWasm::WitPackage(..) => panic!("{path} is a WIT package, not a component"),
    }
}

/// The imports and exports of the world `name` in `wit/`; none if there is no such world.
pub(crate) fn world(resolve: &Resolve, name: &str) -> Option<Border> {
    let (_, world) = resolve.worlds.iter().find(|(_, world)| world.name == name)?;
    Some(Border::of(resolve, world))
}

/// The names of the interfaces that the host offers to guest modules, without the package's name; `types` is not among
/// them.
pub(crate) fn offered() -> BTreeSet<String> {
    let border = world(&package(), "offered").expect("wit/world.wit has the world `offered`");
    let short = |name: &String| name.strip_prefix(PACKAGE).and_then(|name| name.split('@').next()).map(str::to_owned);
    let interfaces: BTreeSet<String> = border.imports.iter().filter_map(short).collect();
    assert!(!interfaces.is_empty(), "the world `offered` imports nothing");
    interfaces
}

/// What crosses the border of a component, by full name (`bulkhead:agent/files@0.1.0`).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Border {
    /// What can be called. Interfaces of the package that have only types are left out, and `types`, whose one function tells
    /// what an answer meant: they give no power, and any module has them.
    pub(crate) imports: BTreeSet<String>,
    pub(crate) exports: BTreeSet<String>,
}

impl Border {
    fn of(resolve: &Resolve, world: &wit_parser::World) -> Self {
        let powerless = |item: &WorldItem, name: &str| match item {
            WorldItem::Interface { id, .. } => {
                name.strip_prefix(PACKAGE).is_some_and(|own| own.starts_with("types@") || has_only_types(resolve, *id))
            }
            _ => false,
        };
        let named = |(key, item)| (resolve.name_world_key(key), item);
        let imports = world.imports.iter().map(named).filter(|(name, item)| !powerless(item, name));
        let exports = world.exports.iter().map(named);
        Border { imports: imports.map(|(name, _)| name).collect(), exports: exports.map(|(name, _)| name).collect() }
    }
}

fn has_only_types(resolve: &Resolve, interface: InterfaceId) -> bool {
    resolve.interfaces[interface].functions.is_empty()
}

fn without_plain_comments(text: &str) -> String {
    let plain = |line: &&str| line.trim_start().starts_with("//") && !line.trim_start().starts_with("///");
    text.lines().map(|line| if plain(&line) { "" } else { line }).collect::<Vec<_>>().join("\n")
}
