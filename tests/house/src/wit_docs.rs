//! Everything in `wit/` is documented: a module's author reads nothing else.

use crate::{tree, wit};
use wit_parser::{Docs, Interface, Resolve, Type, TypeDef, TypeDefKind};

#[test]
fn everything_in_wit_has_a_doc_line() {
    let package = wit::package();
    let mut faults = Faults::default();
    assert!(package.interfaces.len() > 5, "wit/ has only {} interfaces", package.interfaces.len());
    for (_, world) in package.worlds.iter() {
        faults.look(format!("world {}", world.name), &world.docs);
    }
    for (_, interface) in package.interfaces.iter() {
        read_interface(&package, interface, &mut faults);
    }
    tree::verdict(
        "Say with `///` in wit/ what it means: units, limits, what an error stands for. (`//` does not count.)",
        &faults.0,
    );
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn look(&mut self, what: String, docs: &Docs) {
        if docs.contents.as_deref().is_none_or(|text| text.trim().is_empty()) {
            self.0.push(what);
        }
    }
}

fn read_interface(package: &Resolve, interface: &Interface, faults: &mut Faults) {
    let name = interface.name.as_deref().unwrap_or("(without a name)");
    faults.look(format!("interface {name}"), &interface.docs);
    for (function, definition) in &interface.functions {
        faults.look(format!("{name}.{function}"), &definition.docs);
    }
    for (type_name, id) in &interface.types {
        let definition = &package.types[*id];
        if !is_use(package, definition) {
            faults.look(format!("{name}.{type_name}"), &definition.docs);
            read_type(&format!("{name}.{type_name}"), definition, faults);
        }
    }
}

fn read_type(name: &str, definition: &TypeDef, faults: &mut Faults) {
    let parts: Vec<(&str, &Docs)> = match &definition.kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| (field.name.as_str(), &field.docs)).collect(),
        TypeDefKind::Variant(variant) => variant.cases.iter().map(|case| (case.name.as_str(), &case.docs)).collect(),
        TypeDefKind::Enum(words) => words.cases.iter().map(|case| (case.name.as_str(), &case.docs)).collect(),
        TypeDefKind::Flags(flags) => flags.flags.iter().map(|flag| (flag.name.as_str(), &flag.docs)).collect(),
        _ => Vec::new(),
    };
    for (part, docs) in parts {
        faults.look(format!("{name}.{part}"), docs);
    }
}

/// Whether the type only came in with `use` and is documented where it was defined.
fn is_use(package: &Resolve, definition: &TypeDef) -> bool {
    match definition.kind {
        TypeDefKind::Type(Type::Id(target)) => package.types[target].owner != definition.owner,
        _ => false,
    }
}
