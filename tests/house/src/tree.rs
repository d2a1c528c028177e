//! The tree under test, and how a rule gives its verdict.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository. Cargo names this package's folder when it runs the tests, so the rules can be held
/// against another checkout by setting the variable and running the test program by hand.
pub(crate) fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR for tests");
    Path::new(&package).join("../..").canonicalize().expect("the package is two folders below the root")
}

/// The text of a file, given relative to the root.
pub(crate) fn read(path: &str) -> String {
    let bytes = fs::read(root().join(path)).unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether there is such a file or folder, given relative to the root.
pub(crate) fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// The names in a folder, given relative to the root, that `choose` picks, sorted.
pub(crate) fn names(folder: &str, choose: impl Fn(&Path) -> bool) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("cannot list {folder}: {error}"));
    let paths = entries.map(|entry| entry.expect("a folder can be read to its end").path());
    let chosen = paths.filter(|path| choose(path)).filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
    let mut names: Vec<String> = chosen.collect();
    names.sort();
    names
}

/// The Rust files right in a folder, without `.rs`, and without those in `apart`.
pub(crate) fn rust_files(folder: &str, apart: &[&str]) -> Vec<String> {
    let files = names(folder, |path| path.extension().is_some_and(|extension| extension == "rs"));
    let stems = files.iter().filter_map(|name| name.strip_suffix(".rs"));
    stems.filter(|stem| !apart.contains(stem)).map(str::to_owned).collect()
}

/// The guest modules: every folder beside the SDK, the examples, which are vendors' modules, and what two modules share.
pub(crate) fn guest_modules() -> Vec<String> {
    let mut modules = names("guest-modules", Path::is_dir);
    modules.retain(|name| !["sdk", "examples", "zone"].contains(&name.as_str()));
    assert!(!modules.is_empty(), "there is no guest module");
    modules
}

/// Every file that belongs to the project, relative to the root: tracked, or new and not ignored, so that a rule
/// speaks before a file is committed rather than after.
pub(crate) fn project_files() -> Vec<String> {
    let listed = output("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let files = listed.split('\0').filter(|path| !path.is_empty() && root().join(path).is_file());
    let files: Vec<String> = files.map(str::to_owned).collect();
    assert!(files.len() > 100, "git lists only {} files: is {} a checkout?", files.len(), root().display());
    files
}

/// The Rust files among [`project_files`].
pub(crate) fn project_rust_files() -> Vec<String> {
    let mut files = project_files();
    files.retain(|path| path.ends_with(".rs"));
    files
}

/// What cargo says, the same cargo that runs the tests.
pub(crate) fn cargo(arguments: &[&str]) -> String {
    output(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), arguments)
}

/// The packages of a workspace as `cargo metadata` describes them.
pub(crate) fn cargo_packages(manifest: &str) -> Vec<Value> {
    let text = cargo(&["metadata", "--no-deps", "--format-version", "1", "--manifest-path", manifest]);
    let metadata: Value = serde_json::from_str(&text).expect("cargo metadata prints JSON");
    metadata["packages"].as_array().expect("it has a list of packages").clone()
}

/// Ends the test if there are faults: `advice` says what to do about them.
#[track_caller]
pub(crate) fn verdict(advice: &str, faults: &[String]) {
    assert!(faults.is_empty(), "\n{advice}\n  - {}\n", faults.join("\n  - "));
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {} failed: {complaint}", arguments.join(" "));
    String::from_utf8(output.stdout).expect("paths and package names are UTF-8")
}
