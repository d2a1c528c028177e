//! `module.toml`: what an author says of a module. What its commands are stands in its schema, and is not said again.

use super::text::Text;
use anyhow::bail;
use bulkhead_schema::Schema;
use bulkhead_store::{Argument, Command, Expect, Manifest, SelfTest, manifest};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use toml::Spanned;

/// What the file says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ModuleFile {
    name: String,
    version: String,
    counter: u64,
    agent: String,
    description: String,
    #[serde(default)]
    commands: BTreeMap<Spanned<String>, CommandEntry>,
    #[serde(default)]
    self_test: Vec<Request>,
}

/// What is said of a command beyond its schema.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CommandEntry {
    /// The arguments whose values the owner's audit may show.
    #[serde(default)]
    shown: Vec<Spanned<String>>,
}

/// A request of the self-test. Without `returns` and `error` any answer is good.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Request {
    execute: Spanned<String>,
    #[serde(default)]
    arguments: Map<String, Value>,
    returns: Option<Value>,
    error: Option<String>,
}

/// The manifest of the module that `file` and `schema` describe, not yet checked as a whole.
pub(super) fn manifest(file: &Text, schema: &Text) -> anyhow::Result<Manifest> {
    let said: ModuleFile = file.parse()?;
    let parsed = schema.schema()?;
    for (name, entry) in &said.commands {
        let Some(command) = parsed.command(name.get_ref()) else {
            return Err(file.error(name.span(), &unknown("command", name.get_ref(), names(&parsed))));
        };
        let arguments: Vec<&str> = command.arguments.iter().map(|it| it.name.as_str()).collect();
        if let Some(stranger) = entry.shown.iter().find(|it| !arguments.contains(&it.get_ref().as_str())) {
            return Err(file.error(stranger.span(), &unknown("argument", stranger.get_ref(), arguments)));
        }
    }
    let shown = |command: &str, argument: &str| {
        let entry = said.commands.iter().find(|(name, _)| name.get_ref() == command);
        entry.is_some_and(|(_, entry)| entry.shown.iter().any(|it| it.get_ref() == argument))
    };
    let command = |it: &bulkhead_schema::Command| Command {
        name: it.name.clone(),
        while_frozen: it.allowed_while_frozen,
        success_response: it.success_response,
        arguments: it
            .arguments
            .iter()
            .map(|argument| Argument { name: argument.name.clone(), shown: shown(&it.name, &argument.name) })
            .collect(),
    };
    Ok(Manifest {
        manifest: manifest::FORMAT,
        commands: parsed.commands.iter().map(command).collect(),
        schema: schema.as_str().to_owned(),
        self_test: said.self_test.into_iter().map(|it| self_test(it, file, &parsed)).collect::<Result<_, _>>()?,
        name: said.name,
        version: said.version,
        counter: said.counter,
        agent: said.agent,
        description: said.description,
    })
}

fn self_test(request: Request, file: &Text, schema: &Schema) -> anyhow::Result<SelfTest> {
    let execute = request.execute.get_ref();
    if schema.command(execute).is_none() {
        return Err(file.error(request.execute.span(), &unknown("command", execute, names(schema))));
    }
    let expect = match (request.returns, request.error) {
        (None, None) => Expect::Answer,
        (Some(value), None) => Expect::Return(value.to_string()),
        (None, Some(words)) => Expect::Error(words),
        (Some(_), Some(_)) => {
            bail!(file.error(request.execute.span(), "a self-test expects what it returns or an error, not both"))
        }
    };
    let arguments = Value::Object(request.arguments).to_string();
    Ok(SelfTest { execute: request.execute.into_inner(), arguments, expect })
}

fn names(schema: &Schema) -> Vec<&str> {
    schema.commands.iter().map(|command| command.name.as_str()).collect()
}

fn unknown(what: &str, name: &str, known: Vec<&str>) -> String {
    match known.as_slice() {
        [] => format!("the schema has no {what} '{name}', nor any other"),
        known => format!("the schema has no {what} '{name}'; it has {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_test_support::Scratch;

    const SCHEMA: &str = "##\n# @__com.example_say:\n#\n# Says it.\n#\n# @word: which\n#\n# @secret: more\n#\n# Since: 1\n##\n\
                          { 'command': '__com.example_say', 'data': { 'word': 'str', '*secret': 'str' },\n\
                            'features': [ 'allowed-while-frozen' ] }\n";
    const FILE: &str = "name = \"com.example.say\"\nversion = \"1.2.3\"\ncounter = 4\nagent = \"0.1.0\"\n\
                        description = \"Says things.\"\n";

    fn read(file: &str) -> Result<Manifest, String> {
        let scratch = Scratch::new("module-file");
        let file = Text::read(&scratch.file("module.toml", file)).unwrap();
        let schema = Text::read(&scratch.file("schema.json", SCHEMA)).unwrap();
        // Where the scratch folder is does not matter.
        manifest(&file, &schema).map_err(|error| error.to_string().rsplit('/').next().unwrap_or_default().to_owned())
    }

    #[test]
    fn commands_come_from_the_schema() {
        let manifest = read(&format!("{FILE}[commands.\"__com.example_say\"]\nshown = [\"word\"]\n")).unwrap();
        let [command] = manifest.commands.as_slice() else { panic!("{manifest:?}") };
        assert!(command.while_frozen && command.success_response);
        let shown: Vec<_> = command.arguments.iter().map(|it| (it.name.as_str(), it.shown)).collect();
        assert_eq!(shown, [("word", true), ("secret", false)]);
        assert_eq!((manifest.counter, manifest.schema.as_str()), (4, SCHEMA));
    }

    #[test]
    fn a_self_test_expects_something() {
        let test = |rest: &str| read(&format!("{FILE}[[self-test]]\nexecute = \"__com.example_say\"\n{rest}"));
        let expected = |rest: &str| test(rest).unwrap().self_test.remove(0).expect;
        assert_eq!(expected(""), Expect::Answer);
        assert_eq!(expected("error = \"missing\"\n"), Expect::Error("missing".to_owned()));
        assert_eq!(expected("returns = { a = 1 }\n"), Expect::Return("{\"a\":1}".to_owned()));
        assert_eq!(
            test("error = \"x\"\nreturns = 1\n").unwrap_err(),
            "module.toml:7:11: a self-test expects what it returns or an error, not both"
        );
        assert_eq!(test("arguments = { word = \"x\" }\n").unwrap().self_test[0].arguments, "{\"word\":\"x\"}");
    }

    #[test]
    fn a_slip_is_told_with_its_place() {
        assert_eq!(
            read(&format!("{FILE}[commands.\"__com.example_sya\"]\n")).unwrap_err(),
            "module.toml:6:11: the schema has no command '__com.example_sya'; it has __com.example_say"
        );
        assert_eq!(
            read(&format!("{FILE}[commands.\"__com.example_say\"]\nshown = [\"wrod\"]\n")).unwrap_err(),
            "module.toml:7:10: the schema has no argument 'wrod'; it has word, secret"
        );
        assert!(read("name = \"x\"\n").unwrap_err().ends_with("missing field `version`"));
    }
}
