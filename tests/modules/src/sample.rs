//! The vendor's modules: components of `tests/modules/samples`, with manifests.

use bulkhead_store::{Argument, Command, Manifest};
use std::fs;
use std::path::Path;

/// The command of the samples.
pub const ANSWER: &str = "__com.example_answer";

/// The samples' schema.
pub const ANSWER_SCHEMA: &str = "##
# @__com.example_answer:
#
# Answers with a number.
#
# @how: 'trap' for a trap, 'spin' for no end
#
# Returns: the number
#
# Since: 1.0
##
{ 'command': '__com.example_answer',
  'data': { '*how': 'str' },
  'returns': 'int' }
";

/// A manifest that says what the schema says. Version and counter are one number.
pub fn manifest(name: &str, version: u64, schema: &str) -> Manifest {
    let mut manifest = Manifest {
        manifest: 1,
        name: name.to_owned(),
        version: format!("{version}.0"),
        counter: version,
        agent: "0.1.0".to_owned(),
        description: "A sample.".to_owned(),
        commands: Vec::new(),
        schema: schema.to_owned(),
        self_test: Vec::new(),
    };
    // It names what the schema has and the manifest lacks, one after the other; so no test reads the schema's language.
    for line in schema.lines() {
        let Some(command) = line.strip_prefix("{ 'command': '").and_then(|rest| rest.split('\'').next()) else {
            continue;
        };
        manifest.commands.push(of_schema(schema, command));
    }
    manifest
}

/// What the schema says of a command: its text from the brace to the next empty line.
fn of_schema(schema: &str, name: &str) -> Command {
    let begin = schema.find(&format!("{{ 'command': '{name}'")).expect("the command is there");
    let text = &schema[begin..];
    let text = &text[..text.find("\n\n").unwrap_or(text.len())];
    let data = outermost(text.split_once("'data': {").map_or("", |(_, rest)| rest));
    let members = data.split(',').filter_map(|member| member.split('\'').nth(1));
    Command {
        name: name.to_owned(),
        while_frozen: text.contains("allowed-while-frozen"),
        success_response: !text.contains("'success-response': false"),
        arguments: members.map(|it| Argument { name: it.trim_start_matches('*').to_owned(), shown: true }).collect(),
    }
}

/// What stands before the end of a brace, without what stands in others.
fn outermost(text: &str) -> String {
    let mut depth = 0;
    let inside = text.chars().take_while(|character| {
        depth += match character {
            '{' | '[' => 1,
            '}' | ']' => -1,
            _ => 0,
        };
        depth >= 0
    });
    let mut nested = 0;
    inside
        .filter(|character| {
            nested += i32::from(matches!(character, '{' | '[')) - i32::from(matches!(character, '}' | ']'));
            nested == 0
        })
        .collect()
}

/// The component of a sample, without a manifest.
pub fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../../target/wasm32-unknown-unknown/module/examples/{name}.wasm"));
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}: run `make samples` first", path.display()))
}

/// A sample with a manifest.
pub fn packed(name: &str, manifest: &Manifest) -> Vec<u8> {
    manifest.append(&sample(name))
}

/// The agent's own module of this name, as a vendor would bring it to take its place.
pub fn replacing(name: &str, version: u64) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let component = fs::read(root.join(format!("target/wasm32-unknown-unknown/module/bulkhead_module_{name}.wasm")));
    let schema = fs::read_to_string(root.join(format!("schemas/{name}.json"))).expect("there is such a module");
    manifest(name, version, &schema).append(&component.expect("the modules are there: run `make modules` first"))
}
