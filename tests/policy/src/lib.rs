//! What policies come to, shown by rehearsals: the real dispatcher and the real modules answer, and nothing is done.
//!
//! `commands.txt` is the table of every command of every profile, `explain/` has the answers to typical questions of
//! owners, and the tables of cases of `host/policy/cases` and `host/dist/policies` are run.

use std::path::{Path, PathBuf};

/// The path of something in this package.
pub fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The files in a folder of the repository whose names end so, sorted.
///
/// # Panics
///
/// If there is none: then the test that asked has nothing to show.
pub fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = here("../..").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap_or_else(|error| panic!("{error}")).path());
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|it| it == ending)).collect();
    assert!(!files.is_empty(), "{} has no .{ending}", folder.display());
    files.sort();
    files
}
