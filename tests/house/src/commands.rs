//! A command is an entry in a schema, a function in the module of that schema, and a folder of transcripts.

use crate::tree;
use bulkhead_schema::Schema;
use std::path::Path;

/// Folders of `tests/conformance` that are about the conversation rather than one command, or hold the player's source.
const NO_COMMAND: &[&str] = &["policy-lists", "protocol", "src", "tests"];

#[test]
fn every_command_has_transcripts() {
    let bare = commands().into_iter().filter(|(_, command)| !has_transcripts(command));
    let faults: Vec<String> = bare.map(|(_, command)| format!("tests/conformance/{command}/")).collect();
    tree::verdict(
        "Write a transcript (NAME.txt; see tests/conformance/README.md) and let qemu-ga speak first.",
        &faults,
    );
}

#[test]
fn every_folder_of_transcripts_is_a_command() {
    let commands = commands();
    let folders = tree::names("tests/conformance", Path::is_dir);
    let known = |folder: &String| {
        NO_COMMAND.contains(&folder.as_str()) || commands.iter().any(|(_, command)| command == folder)
    };
    let strays: Vec<String> = folders.into_iter().filter(|folder| !known(folder)).collect();
    tree::verdict("No schema has a command of this name. Rename the folder under tests/conformance/.", &strays);
}

#[test]
fn every_command_is_answered_by_the_module_whose_schema_lists_it() {
    let mut faults = Vec::new();
    for (module, command) in commands() {
        let path = format!("guest-modules/{module}/src/lib.rs");
        if !tree::exists(&path) {
            faults.push(format!("{command}: schemas/{module}.json has no guest-modules/{module}"));
        } else if !tree::read(&path).contains(&format!("\"{command}\" =>")) {
            faults.push(format!("{command}: not in the module! list of {path}"));
        }
    }
    tree::verdict(
        "Add the command to the list of the module whose schema has it, or move it between the schemas.",
        &faults,
    );
}

/// Every command, after its module.
fn commands() -> Vec<(String, String)> {
    let mut commands = Vec::new();
    // JSON schemas of other things lie there too.
    let lists_commands = |path: &Path| {
        path.extension().is_some_and(|it| it == "json")
            && path.file_stem().is_some_and(|it| !it.to_string_lossy().ends_with(".schema"))
    };
    for file in tree::names("schemas", lists_commands) {
        let module = file.trim_end_matches(".json");
        let schema =
            Schema::parse(module, &tree::read(&format!("schemas/{file}"))).unwrap_or_else(|error| panic!("{error}"));
        commands.extend(schema.commands.into_iter().map(|command| (module.to_owned(), command.name)));
    }
    assert!(!commands.is_empty(), "the schemas have no command");
    commands
}

fn has_transcripts(command: &str) -> bool {
    let folder = format!("tests/conformance/{command}");
    let transcript = |path: &Path| path.extension().is_some_and(|extension| extension == "txt");
    tree::exists(&folder) && !tree::names(&folder, transcript).is_empty()
}
