//! Documents: links lead somewhere, and the changelog keeps its form.

use crate::tree;
use std::path::Path;

/// Documents that a newcomer expects at the root.
const EXPECTED: &[&str] = &["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];

/// What a heading of the third level may be in the changelog.
const KINDS: &[&str] = &["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];

#[test]
fn the_expected_documents_are_there() {
    let missing = EXPECTED.iter().filter(|path| !tree::exists(path)).map(|path| (*path).to_owned());
    tree::verdict("Write it: people and tools look for it at the root.", &missing.collect::<Vec<_>>());
}

#[test]
fn relative_links_lead_somewhere() {
    let mut documents = tree::project_files();
    documents.retain(|path| path.ends_with(".md"));
    assert!(!documents.is_empty(), "there is no document");
    let mut faults = Vec::new();
    for document in documents {
        let folder = Path::new(&document).parent().unwrap_or(Path::new(""));
        for (line, target) in links(&tree::read(&document)) {
            let path = target.split('#').next().unwrap_or_default();
            let is_elsewhere = target.contains("://") || target.starts_with("mailto:");
            if !is_elsewhere && !path.is_empty() && !tree::root().join(folder).join(path).exists() {
                faults.push(format!("{document}:{line} links to {target}"));
            }
        }
    }
    tree::verdict("Nothing is there. A link is relative to the folder of the document it stands in.", &faults);
}

#[test]
fn documents_named_in_other_files_are_there() {
    let mut faults = Vec::new();
    for path in tree::project_files() {
        let text = tree::read(&path);
        for (index, line) in text.lines().enumerate() {
            let gone = named(line).filter(|document| !tree::exists(document));
            faults.extend(gone.map(|document| format!("{path}:{} names {document}", index + 1)));
        }
    }
    tree::verdict("There is no such document: it has another name or number by now.", &faults);
}

#[test]
fn the_changelog_keeps_its_form() {
    let changelog = tree::read("CHANGELOG.md");
    let headings: Vec<&str> = changelog.lines().filter(|line| line.starts_with('#')).collect();
    let mut faults = Vec::new();
    if headings.first() != Some(&"# Changelog") {
        faults.push("the first heading is not `# Changelog`".to_owned());
    }
    if headings.iter().find(|line| line.starts_with("## ")) != Some(&"## [Unreleased]") {
        faults.push("the first section is not `## [Unreleased]`".to_owned());
    }
    faults.extend(headings.iter().skip(1).filter(|line| !is_known(line)).map(|line| format!("`{line}`")));
    tree::verdict(
        "CHANGELOG.md follows keepachangelog.com: `## [Unreleased]`, `## [1.2.3] - 2026-01-31`, and in them `### Added`, \
         Changed, Deprecated, Removed, Fixed or Security.",
        &faults,
    );
}

fn is_known(heading: &str) -> bool {
    match (heading.strip_prefix("## "), heading.strip_prefix("### ")) {
        (_, Some(kind)) => KINDS.contains(&kind),
        (Some("[Unreleased]"), _) => true,
        (Some(release), _) => is_release(release),
        _ => false,
    }
}

/// `[1.2.3] - 2026-01-31`, perhaps marked as yanked.
fn is_release(text: &str) -> bool {
    let text = text.strip_suffix(" [YANKED]").unwrap_or(text);
    let Some((version, date)) = text.strip_prefix('[').and_then(|text| text.split_once("] - ")) else { return false };
    let numbers = |text: &str, separator| text.split(separator).filter(|part| part.parse::<u32>().is_ok()).count();
    numbers(version, '.') >= 3 && date.len() == "2026-01-31".len() && numbers(date, '-') == 3
}

/// The documents that a line names by their path from the root, such as `docs/architecture.md`. A pattern (`docs/**/*.md`) is
/// none.
fn named(line: &str) -> impl Iterator<Item = &str> {
    let in_path = |character: char| character.is_alphanumeric() || "-_./".contains(character);
    let paths = line.split(move |character| !in_path(character));
    paths.filter(|path| path.starts_with("docs/")).filter_map(|path| path.find(".md").map(|end| &path[..end + 3]))
}

/// The targets of links and images, with their lines, outside of code: `[text](target)` and `[name]: target`.
fn links(document: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    let mut is_code = false;
    for (index, line) in document.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            let outside_code = |at: usize| line[..at].matches('`').count() % 2 == 0;
            let inline = line.match_indices("](").filter(|(at, _)| outside_code(*at));
            let targets = inline.filter_map(|(at, open)| line[at + open.len()..].split([')', ' ']).next());
            links.extend(targets.map(|target| (index + 1, target)));
            let definition = line.strip_prefix('[').and_then(|line| line.split_once("]: "));
            links.extend(definition.map(|(_, target)| (index + 1, target.trim())));
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_of_code() {
        let document = "[`a`](b.md#c) and ![d](e.png)\n`[f](g.md)`\n```\n[h](i.md)\n```\n[j]: k.md\n";
        assert_eq!(links(document), [(1, "b.md#c"), (1, "e.png"), (6, "k.md")]);
    }

    #[test]
    fn documents_are_named_in_running_text() {
        let line = "see docs/architecture.md. // `docs/decisions/README.md`, ../docs/d.md, docs/*.md or docs/";
        assert_eq!(named(line).collect::<Vec<_>>(), ["docs/architecture.md", "docs/decisions/README.md"]);
    }

    #[test]
    fn headings_of_releases_have_version_and_date() {
        assert!(is_known("## [1.2.3] - 2026-01-31") && is_known("## [0.1.0-rc.1] - 2026-01-31 [YANKED]"));
        assert!(!is_known("## 1.2.3") && !is_known("## [1.2.3] - soon") && !is_known("### Improved"));
    }
}
