//! A guest module holds exactly the powers that its world names.

use crate::{tree, wit};
use std::collections::BTreeSet;

#[test]
fn every_module_imports_what_its_world_says_and_nothing_else() {
    let package = wit::package();
    let mut faults = Vec::new();
    for module in tree::guest_modules() {
        let Some(world) = wit::world(&package, &format!("{module}-module")) else {
            faults.push(format!("{module}: wit/world.wit has no world `{module}-module`"));
            continue;
        };
        let built = wit::component(&module);
        faults.extend(differences(&module, &world.imports, &built.imports));
        faults.extend(foreign(&built.imports).map(|name| format!("{module}: {name} is not an interface of ours")));
    }
    tree::verdict(
        "The world is the whole list of what a module can touch. Change the world in wit/world.wit, with a comment that \
         says why, or the module; then run `make modules`.",
        &faults,
    );
}

#[test]
fn every_module_exports_the_handler_and_nothing_else() {
    let handler = |name: &String| name.strip_prefix(wit::PACKAGE).is_some_and(|name| name.starts_with("handler@"));
    let exports = tree::guest_modules().into_iter().map(|module| (wit::component(&module).exports, module));
    let wrong = exports.filter(|(exports, _)| exports.len() != 1 || !exports.iter().all(handler));
    let faults: Vec<String> = wrong.map(|(exports, module)| format!("{module} exports {exports:?}")).collect();
    tree::verdict("The host calls one interface of a module, `handler`; it exports that alone.", &faults);
}

#[test]
fn every_module_world_has_its_module() {
    let modules = tree::guest_modules();
    let package = wit::package();
    let worlds = package.worlds.iter().filter_map(|(_, world)| world.name.strip_suffix("-module"));
    let orphans = worlds.filter(|name| !modules.iter().any(|module| module == name));
    let faults: Vec<String> = orphans.map(|name| format!("world {name}-module")).collect();
    tree::verdict(
        "A world `NAME-module` belongs to the folder guest-modules/NAME; remove it or add the module.",
        &faults,
    );
}

fn differences(module: &str, asked: &BTreeSet<String>, built: &BTreeSet<String>) -> Vec<String> {
    let unasked = built.difference(asked).map(|name| format!("{module} imports {name}, but its world does not"));
    let unused = asked.difference(built).map(|name| format!("{module} does not use {name}, but its world imports it"));
    unasked.chain(unused).collect()
}

fn foreign(imports: &BTreeSet<String>) -> impl Iterator<Item = &String> {
    imports.iter().filter(|name| !name.starts_with(wit::PACKAGE))
}
