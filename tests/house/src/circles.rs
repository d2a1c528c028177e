//! Within a room, too, imports go in one direction: parts that import each other are one part, in two places.

use crate::{rust, tree};
use std::collections::{BTreeMap, BTreeSet};

/// The rooms that are watched: the agent's, the broker's and the tools'.
const ROOMS: &[&str] = &["host/src/", "host/broker/src/", "host/tools/src/"];

/// Files that are tests and do not stand at the foot of another.
const TESTS: &[&str] = &["tests.rs", "samples.rs"];

/// Where everything is joined; what is above all others.
const TOP: &[&str] = &["lib", "main"];

/// Each part of a room, a file or folder right in it, and the parts that it imports.
type Imports = BTreeMap<String, BTreeSet<String>>;

#[test]
fn parts_of_a_room_import_in_one_direction() {
    for room in ROOMS {
        let imports = imports(room);
        assert!(imports.values().any(|parts| !parts.is_empty()), "{room} imports nothing: is this test up to date?");
        tree::verdict(
            "Move what both need below both, or make them one part with an inside that others do not see.",
            &circle(imports).map(|parts| format!("{room}: {}", parts.join(" -> "))).into_iter().collect::<Vec<_>>(),
        );
    }
}

#[test]
fn a_circle_is_found() {
    let of = |pairs: &[(&str, &[&str])]| {
        let set = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect();
        circle(pairs.iter().map(|(part, imported)| ((*part).to_owned(), set(imported))).collect())
    };
    assert_eq!(of(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]), None);
    let found = of(&[("a", &["b"]), ("b", &["c"]), ("c", &["d", "b"]), ("d", &[])]);
    assert_eq!(found.unwrap(), ["b", "c", "b"]);
}

fn imports(room: &str) -> Imports {
    let mut imports = Imports::new();
    for path in tree::project_rust_files() {
        let Some(inside) = path.strip_prefix(room) else { continue };
        let part = inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs");
        if TOP.contains(&part) || TESTS.iter().any(|name| inside.ends_with(name)) {
            continue;
        }
        let source = tree::read(&path);
        let code = rust::code_only(source.split("#[cfg(test)]\nmod tests {").next().unwrap_or(&source));
        let named = rust::names_after(&code, "crate::").into_iter().map(str::to_owned);
        imports.entry(part.to_owned()).or_default().extend(named);
    }
    let parts: BTreeSet<String> = imports.keys().cloned().collect();
    for (part, imported) in &mut imports {
        imported.retain(|name| name != part && parts.contains(name));
    }
    imports
}

/// Parts of which each imports the next, and the last the first; nothing if there are none.
fn circle(mut imports: Imports) -> Option<Vec<String>> {
    // What imports nothing any more is in no circle.
    while let Some(part) = imports.iter().find(|(_, imported)| imported.is_empty()).map(|(part, _)| part.clone()) {
        imports.remove(&part);
        imports.values_mut().for_each(|imported| _ = imported.remove(&part));
    }
    let mut way = vec![imports.keys().next()?.clone()];
    loop {
        let next = imports[way.last()?].first()?.clone();
        if let Some(begin) = way.iter().position(|part| *part == next) {
            way.push(next);
            return Some(way.split_off(begin));
        }
        way.push(next);
    }
}
