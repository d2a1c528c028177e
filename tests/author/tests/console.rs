//! A conversation with a shell, as a document shows it.

/// A command and what it prints, both as the document has them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The line of the document that it begins in, from 1.
    pub(crate) line: usize,
    /// The command, perhaps of several lines.
    pub(crate) command: String,
    /// The lines that it prints, `...` standing for what differs from one time to the next.
    pub(crate) output: Vec<String>,
}

/// The steps in a document's blocks of the kind `console`: `$ ` begins a command, `>` goes on with it, what follows is output.
pub(crate) fn steps(document: &str) -> Vec<Step> {
    let (mut steps, mut inside): (Vec<Step>, bool) = (Vec::new(), false);
    for (index, line) in document.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if !inside {
        } else if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: index + 1, command: command.to_owned(), output: Vec::new() });
        } else if let Some(step) = steps.last_mut() {
            match line.strip_prefix('>') {
                Some(more) => step.command += &format!("\n{}", more.strip_prefix(' ').unwrap_or(more)),
                None => step.output.push(line.to_owned()),
            }
        }
    }
    steps
}

/// Whether `found` are the lines `expected`: in a line `...` stands for any text, and alone for any lines, or none.
pub(crate) fn matches(expected: &[String], found: &[&str]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((first, rest)) if first == "..." => (0..=found.len()).any(|skipped| matches(rest, &found[skipped..])),
        Some((first, rest)) => {
            found.split_first().is_some_and(|(line, others)| line_matches(first, line) && matches(rest, others))
        }
    }
}

fn line_matches(expected: &str, found: &str) -> bool {
    match expected.split_once("...") {
        None => expected == found,
        Some((before, after)) => found.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| line_matches(after, &rest[at..]))
        }),
    }
}

#[test]
fn a_document_is_taken_apart() {
    let text = "x\n```console\n$ one\nout ...\n$ cat <<E\n> a\n>\n> E\n```\n```sh\n$ not this\n```\n";
    let step = |line, command: &str, output: &[&str]| Step {
        line,
        command: command.to_owned(),
        output: output.iter().map(|line| (*line).to_owned()).collect(),
    };
    assert_eq!(steps(text), [step(3, "one", &["out ..."]), step(5, "cat <<E\na\n\nE", &[])]);
}

#[test]
fn three_dots_are_anything() {
    let expected = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    assert!(matches(&expected(&["a ... c", "...", "z"]), &["a b c", "x", "y", "z"]));
    assert!(matches(&expected(&["..."]), &[]) && matches(&expected(&["a..."]), &["a"]));
    for found in [&["a b", "z"][..], &["a b c"], &["a b c", "z", "y"], &[]] {
        assert!(!matches(&expected(&["a ... c", "...", "z"]), found), "{found:?}");
    }
}
