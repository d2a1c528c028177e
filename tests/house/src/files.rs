//! Source files can be read in one sitting, are finished, and know no one machine.

use crate::{rust, tree};

/// Lines of a Rust file. The aim is 150; at 400 a newcomer is lost.
const MOST_LINES: usize = 400;

#[test]
fn no_source_file_is_long() {
    let lines = tree::project_rust_files().into_iter().map(|path| (tree::read(&path).lines().count(), path));
    let long = lines.filter(|(lines, _)| *lines > MOST_LINES).map(|(lines, path)| format!("{path}: {lines} lines"));
    tree::verdict(
        "Split it where a newcomer would look for the halves; near 150 lines is good, 400 the most.",
        &long.collect::<Vec<_>>(),
    );
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not break its own rule.
    let words = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]].map(|halves| halves.concat());
    let macros = [["to", "do!"], ["unimpl", "emented!"]].map(|halves| halves.concat());
    let found = search(|text| {
        let words = words.iter().flat_map(|word| rust::word_positions(text, word));
        words.chain(macros.iter().flat_map(|it| text.match_indices(it).map(|(at, _)| at))).collect()
    });
    tree::verdict("Finish it, or leave it out and open an issue.", &found);
}

#[test]
fn no_file_knows_a_build_machines_paths() {
    let folders = [["/wo", "rk/"], ["/ro", "ot/"]].map(|halves| halves.concat());
    let found = search(|text| folders.iter().flat_map(|folder| absolute(text, folder)).collect());
    tree::verdict("Say it relative to the repository's root: the path exists on one machine only.", &found);
}

/// The lines at which `find` finds something, over all files.
fn search(find: impl Fn(&str) -> Vec<usize>) -> Vec<String> {
    let mut found = Vec::new();
    for path in tree::project_files() {
        let text = tree::read(&path);
        found.extend(find(&text).into_iter().map(|at| format!("{path}:{}", rust::line_of(&text, at))));
    }
    found
}

/// Where `folder` begins a path, rather than goes on one such as `/proc/1/root/` or `"$image/root/"`.
fn absolute<'a>(text: &'a str, folder: &'a str) -> impl Iterator<Item = usize> + 'a {
    let goes_on = |before: char| before.is_alphanumeric() || "_-.*})~".contains(before);
    text.match_indices(folder).map(|(at, _)| at).filter(move |at| !text[..*at].ends_with(goes_on))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_of_a_path_counts() {
        let found = |text: &str| absolute(text, "/home/").count();
        assert_eq!(found("see /home/me and \"/home/you\""), 2);
        assert_eq!(found("/proc/1/home/ $image/home/ {folder}/home/ ../home/"), 0);
    }
}
