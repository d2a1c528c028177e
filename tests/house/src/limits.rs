//! Every limit has a paragraph: what accident it bounds, its unit, what it costs an honest client.

use crate::tree;

/// The types of limits; a constant of another type is something else.
const NUMBERS: &[&str] = &["u8", "u16", "u32", "u64", "usize", "Duration"];

/// Lines that can hold what a limit bounds and what it costs; one line only repeats its name.
const LEAST_LINES: usize = 2;

#[test]
fn every_limit_has_a_paragraph() {
    let mut files: Vec<String> = ["host/src/bounds/limits.rs", "host/protocol/src/limits.rs"].map(str::to_owned).into();
    files.extend(tree::rust_files("host/gate/src", &[]).iter().map(|name| format!("host/gate/src/{name}.rs")));
    let mut faults = Vec::new();
    let mut count = 0;
    for path in files {
        // A number in a field of the gate's is an answer and no limit.
        let in_fields = !path.starts_with("host/gate/");
        for limit in limits(&tree::read(&path)).into_iter().filter(|limit| in_fields || limit.is_constant()) {
            count += 1;
            if limit.doc_lines < LEAST_LINES {
                faults.push(format!("{path}:{} {}", limit.line, limit.name));
            }
        }
    }
    assert!(count > 10, "only {count} limits found: is this test up to date?");
    tree::verdict(
        "Write a paragraph (`///`, two lines at least): what accident it bounds, its unit, what it costs an honest client.",
        &faults,
    );
}

struct Limit {
    name: String,
    /// From 1.
    line: usize,
    doc_lines: usize,
}

impl Limit {
    fn is_constant(&self) -> bool {
        self.name.chars().all(|character| !character.is_lowercase())
    }
}

/// The constants and public fields that are numbers or times, up to the tests at the foot of the file.
fn limits(source: &str) -> Vec<Limit> {
    let body = source.split("#[cfg(test)]").next().unwrap_or(source);
    let lines: Vec<&str> = body.lines().map(str::trim).collect();
    let mut limits = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = limit_name(line) else { continue };
        let above = lines[..index].iter().rev().skip_while(|line| line.starts_with("#["));
        let doc_lines =
            above.take_while(|line| line.starts_with("///")).filter(|line| line.len() > "///".len()).count();
        limits.push(Limit { name: name.to_owned(), line: index + 1, doc_lines });
    }
    limits
}

/// `NAME` of `const NAME: usize = ...`, whatever its visibility, and `name` of the field `pub name: usize,`.
fn limit_name(line: &str) -> Option<&str> {
    let (name, ty) = line.split_once(": ")?;
    let ty = ty.split([' ', ',']).next()?;
    let name = match name.split_once("const ") {
        Some((visibility, name)) if visibility.is_empty() || visibility.starts_with("pub") => name,
        Some(_) => return None,
        None => name.strip_prefix("pub ")?,
    };
    let is_name = name.chars().all(|character| character.is_alphanumeric() || character == '_');
    (is_name && NUMBERS.contains(&ty)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_from_other_lines() {
        assert_eq!(limit_name("pub const LINES: usize = 64;"), Some("LINES"));
        assert_eq!(limit_name("pub(crate) const TIME: Duration = SECOND;"), Some("TIME"));
        assert_eq!(limit_name("const TIME: Duration = SECOND;"), Some("TIME"));
        assert_eq!(limit_name("pub depth: usize,"), Some("depth"));
        assert_eq!(limit_name("pub const NAMES: &[&str] = &[];"), None);
        assert_eq!(limit_name("pub const fn f(limit: usize) -> usize {"), None);
        assert_eq!(limit_name("pub fn run(limit: usize) {"), None);
        assert_eq!(limit_name("let depth: usize = 0;"), None);
    }

    #[test]
    fn the_lines_of_its_own_paragraph_count() {
        let source = "/// Of another.\n/// More.\nstruct A;\n\n/// One.\n///\n/// Two.\n#[x]\npub const A: u8 = 1;\n/// One.\nconst B: u8 = 1;";
        let found: Vec<(String, usize)> = limits(source).into_iter().map(|it| (it.name, it.doc_lines)).collect();
        assert_eq!(found, [("A".to_owned(), 2), ("B".to_owned(), 1)]);
    }
}
