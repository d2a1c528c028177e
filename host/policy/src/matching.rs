//! Whether what a rule says of a key and what is asked for go together.

use crate::grant::{Ask, Value};
use crate::tree;

/// Whether a permit's value covers all that is asked for.
pub(crate) fn covers(value: &Value, ask: Ask<'_>) -> bool {
    match (value, ask) {
        (Value::Any, _) => true,
        (Value::Texts(words), Ask::Words(asked)) => asked.iter().all(|word| words.iter().any(|it| it == word)),
        (Value::Texts(names), Ask::Names(asked)) => asked.iter().all(|name| has_name(names, name)),
        (Value::Texts(trees), Ask::Within { surely, .. }) => lies_in(trees, surely),
        (value, ask) => hits(value, ask),
    }
}

/// Whether a forbid's value speaks of some of what is asked for.
pub(crate) fn touches(value: &Value, ask: Ask<'_>) -> bool {
    match (value, ask) {
        (Value::Any, _) => true,
        (Value::Texts(words), Ask::Words(asked)) => asked.iter().any(|word| words.iter().any(|it| it == word)),
        (Value::Texts(names), Ask::Names(asked)) => asked.iter().any(|name| has_name(names, name)),
        (Value::Texts(names), Ask::Thing { name, also }) => has_name(names, name) || lies_in(names, also),
        (Value::Texts(_), Ask::File { has_others: true, .. }) => true,
        (Value::Texts(trees), Ask::Within { surely, perhaps, .. }) => lies_in(trees, surely) || lies_in(trees, perhaps),
        (Value::AtMost(most), Ask::Amount(amount)) => most.is_some_and(|most| amount > most),
        (Value::Flag(_), Ask::Flag(wanted)) => wanted,
        (value, ask) => hits(value, ask),
    }
}

/// Whether a value speaks of the one thing that is asked for.
fn hits(value: &Value, ask: Ask<'_>) -> bool {
    match (value, ask) {
        (Value::Texts(paths), Ask::Path(path)) => has_name(paths, path),
        (Value::Texts(names), Ask::Thing { name, .. }) => has_name(names, name),
        (Value::Texts(names), Ask::File { name, .. }) => names.iter().any(|it| tree::is_like(it.as_bytes(), name)),
        (Value::Patterns(patterns), Ask::Path(path)) => patterns.iter().any(|it| it == "*" || tree::matches(it, path)),
        (Value::Numbers(numbers), Ask::Number(number)) => numbers.contains(&number),
        (Value::AtMost(most), Ask::Amount(amount)) => most.is_none_or(|most| amount <= most),
        (Value::Flag(given), Ask::Flag(wanted)) => *given || !wanted,
        (Value::Templates(templates), Ask::Arguments(arguments)) => templates.iter().any(|it| fits(it, arguments)),
        // What is asked for does not belong to the key: never allowed by it, never seen by it.
        _ => false,
    }
}

fn lies_in(trees: &[String], found: &[&str]) -> bool {
    trees.iter().any(|tree| found.contains(&tree.as_str()))
}

fn has_name(names: &[String], asked: &[u8]) -> bool {
    names.iter().any(|name| name == "*" || name.as_bytes() == asked)
}

pub(crate) fn fits(template: &[String], arguments: &[Vec<u8>]) -> bool {
    let (words, open) = match template.split_last() {
        Some((last, words)) if last == "**" => (words, true),
        _ => (template, false),
    };
    let enough = if open { arguments.len() >= words.len() } else { arguments.len() == words.len() };
    enough && words.iter().zip(arguments).all(|(word, argument)| word == "*" || word.as_bytes() == argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(template: &[&str], arguments: &[&str]) -> bool {
        let template: Vec<_> = template.iter().map(|word| (*word).to_owned()).collect();
        let arguments: Vec<_> = arguments.iter().map(|word| word.as_bytes().to_vec()).collect();
        fits(&template, &arguments)
    }

    #[test]
    fn a_file_is_meant_by_its_own_name() {
        let value = Value::Texts(vec!["*.log".to_owned(), "journal".to_owned()]);
        let file = |name: &'static str| Ask::File { name: name.as_bytes(), has_others: false };
        for name in ["a.log", ".log", "journal"] {
            assert!(covers(&value, file(name)) && touches(&value, file(name)), "{name}");
        }
        for name in ["a.log.1", "journals", "log", ""] {
            assert!(!covers(&value, file(name)) && !touches(&value, file(name)), "{name}");
        }
        let hard = Ask::File { name: b"x", has_others: true };
        assert!(touches(&value, hard) && !covers(&value, hard), "one of its other names may be meant");
    }

    #[test]
    fn another_name_of_a_thing_counts_against_it_and_not_for_it() {
        let value = |name: &str| Value::Texts(vec![name.to_owned()]);
        let ask = Ask::Thing { name: b"/usr/bin/dash", also: &["/bin/sh"] };
        assert!(touches(&value("/bin/sh"), ask) && touches(&value("/usr/bin/dash"), ask) && touches(&value("*"), ask));
        assert!(!touches(&value("/bin/bash"), ask));
        assert!(covers(&value("/usr/bin/dash"), ask) && !covers(&value("/bin/sh"), ask));
    }

    #[test]
    fn a_template_is_word_by_word() {
        assert!(fit(&["restart", "*"], &["restart", "nginx"]));
        assert!(!fit(&["restart", "*"], &["restart"]) && !fit(&["restart", "*"], &["restart", "a", "b"]));
        assert!(fit(&["-c", "**"], &["-c"]) && fit(&["-c", "**"], &["-c", "a", "b"]));
        assert!(!fit(&["-c", "**"], &["-d", "a"]) && fit(&[], &[]) && !fit(&[], &["-x"]));
    }
}
