//! `unsafe` is at home where the system is called, and says why it is sound.

use crate::{rust, tree};

/// Where `unsafe` is at home.
const HOMES: &[&str] = &["host/sys/src/", "host/os/src/", "host/watch/src/"];

/// Other files with `unsafe` code or with leave for it, and why it cannot be there.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("host/src/modules/builtin.rs", "loading compiled code is unsafe, and host/sys knows nothing of wasm"),
    ("host/src/modules/installed.rs", "loading compiled code is unsafe, and host/sys knows nothing of wasm"),
    ("host/src/runtime/memories.rs", "a promise to wasmtime, and host/sys knows nothing of wasm"),
    ("host/compile/src/form.rs", "wasmtime marks processor flags unsafe"),
    ("tests/fault/src/lib.rs", "loads the compiled code of modules that misbehave"),
    ("guest-modules/sdk/src/heap.rs", "an allocator, which a module has and the host does not"),
    ("guest-modules/sdk/src/lib.rs", "leave for what wit-bindgen generates; none is written by hand"),
    ("guest-modules/sdk/src/module.rs", "leave for what wit-bindgen generates; none is written by hand"),
];

#[test]
fn unsafe_code_lives_in_sys() {
    let found: Vec<String> =
        tree::project_rust_files().into_iter().filter(|path| has_unsafe(&tree::read(path))).collect();
    let lives_in = |path: &String, home: &&str| path.starts_with(*home);
    for home in HOMES {
        assert!(found.iter().any(|path| lives_in(path, home)), "{home} has no unsafe code: is this test up to date?");
    }
    let is_at_home = |path: &String| HOMES.iter().any(|home| lives_in(path, home));
    let strays = found.iter().filter(|path| !is_at_home(path) && !EXCEPTIONS.iter().any(|(it, _)| it == *path));
    let strays = strays.map(|path| format!("{path} has unsafe code, or leave for it"));
    let idle = EXCEPTIONS.iter().filter(|(path, _)| !found.iter().any(|it| it == path));
    let idle = idle.map(|(path, _)| format!("{path} has none any more: take it off the list"));
    tree::verdict(
        "Put it into host/sys or host/os, one call per function; if it cannot be there, name the file and the reason in \
         tests/house/src/unsafety.rs.",
        &strays.chain(idle).collect::<Vec<_>>(),
    );
}

#[test]
fn unsafe_code_says_why_it_is_sound() {
    let mut faults = Vec::new();
    let mut blocks = 0;
    for path in tree::project_rust_files() {
        let source = tree::read(&path);
        let code = rust::code_only(&source);
        let lines: Vec<&str> = source.lines().collect();
        for at in rust::word_positions(&code, "unsafe") {
            blocks += 1;
            let line = rust::line_of(&code, at);
            if !is_explained(&lines[..line - 1]) {
                faults.push(format!("{path}:{line}"));
            }
        }
    }
    assert!(blocks > 0, "no unsafe code at all: is this test up to date?");
    tree::verdict(
        "Say just above, in a comment that begins with `SAFETY:`, what makes it sound: who guarantees it, and how long.",
        &faults,
    );
}

fn has_unsafe(source: &str) -> bool {
    let code = rust::code_only(source);
    ["unsafe", "unsafe_code"].iter().any(|word| rust::word_positions(&code, word).next().is_some())
}

/// Whether the comment just above, attributes aside, has a `SAFETY:` line. `above` ends before the line with `unsafe`.
fn is_explained(above: &[&str]) -> bool {
    let ends_something = |line: &str| line.is_empty() || line.ends_with([';', '{', '}']);
    for line in above.iter().rev().map(|line| line.trim()) {
        if line.starts_with("// SAFETY:") {
            return true;
        }
        if !line.starts_with("//") && ends_something(line) {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_has_to_be_just_above() {
        let attribute = ["// SAFETY: it is.", "#[expect(", "    unsafe_code,", ")]"];
        assert!(is_explained(&attribute));
        assert!(is_explained(&["x();", "// SAFETY: it is,", "// as everybody knows."]));
        assert!(!is_explained(&["// SAFETY: that was another.", "other();"]));
        assert!(!is_explained(&["// SAFETY: that was another.", "", "#[inline]"]));
        assert!(!is_explained(&["x();", "// It will be fine."]));
    }

    #[test]
    fn what_is_written_about_it_is_not_it() {
        assert!(has_unsafe("#[allow(unsafe_code)]") && has_unsafe("unsafe { f() }"));
        assert!(!has_unsafe("// unsafe\nlet x = \"unsafe\";"));
    }
}
