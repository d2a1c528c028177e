//! What a manifest claims, against the agent, what is installed, and the owner's policy.

use bulkhead_catalog::commands::{self, COMMANDS};
use bulkhead_catalog::modules;
use bulkhead_policy::{Policy, shape};
use bulkhead_store::{Manifest, State};
use std::fmt::Write;

/// Why a module is not installed.
pub(super) type Refusal = String;

/// Against the agent: the name, the commands of the module whose place it takes, its oldest agent.
pub(super) fn against_the_agent(manifest: &Manifest) -> Result<(), Refusal> {
    let name = &manifest.name;
    if !manifest.is_for(bulkhead_host::VERSION) {
        return Err(format!(
            "it works with agent {} or newer, and this is {}: install a newer agent first",
            manifest.agent,
            bulkhead_host::VERSION
        ));
    }
    let is_built_in = modules::is_built_in(name);
    if !is_built_in && !bulkhead_store::names::is_vendor_module(name) {
        return Err(format!(
            "no built-in module is called {name}, and a vendor's name is a domain turned round, such as com.example.backup"
        ));
    }
    for command in &manifest.commands {
        match commands::find(&command.name) {
            Some(other) if other.module != name => {
                return Err(format!("its command {} is one of the built-in module {}", command.name, other.module));
            }
            None if !bulkhead_store::names::is_vendor_command(&command.name) => {
                return Err(format!(
                    "its command {} is not one of the built-in module {name}: what a vendor adds is named like __com.example_word",
                    command.name
                ));
            }
            _ => {}
        }
    }
    let missing = |command: &&commands::Command| {
        command.module == name && !manifest.commands.iter().any(|own| own.name == command.name)
    };
    match COMMANDS.iter().find(missing) {
        Some(command) => Err(format!(
            "it takes the place of the built-in module {name}, but has no command {}: it must have them all",
            command.name
        )),
        None => Ok(()),
    }
}

/// Against what is installed: its counter, the commands of others, and the quarantine.
pub(super) fn against_the_store(manifest: &Manifest, digest: &str, state: &State) -> Result<(), Refusal> {
    let name = &manifest.name;
    if let Some(quarantine) = state.quarantine.get(digest) {
        return Err(format!(
            "it is in quarantine, for {}: 'bulkhead module enable {name} {}' lets it run again if it is kept",
            quarantine.reason, manifest.version
        ));
    }
    if let Some(entry) = state.modules.get(name) {
        let counter = manifest.counter;
        if counter < entry.counter {
            return Err(format!(
                "its counter is {counter}, and {name} was installed with {} before: an older version comes back with 'bulkhead \
                 module rollback {name}' only",
                entry.counter
            ));
        }
        if entry.versions.iter().any(|it| it.manifest.counter == counter && it.digest != digest) {
            return Err(format!(
                "another version of {name} has the counter {counter} too: each must have a higher one"
            ));
        }
    }
    for (other, entry) in state.modules.iter().filter(|(other, _)| *other != name) {
        let theirs = entry.versions.iter().flat_map(|version| &version.manifest.commands);
        for command in theirs {
            if manifest.commands.iter().any(|own| own.name == command.name) {
                return Err(format!("its command {} is one of the installed module {other}", command.name));
            }
        }
    }
    Ok(())
}

/// Against the policy: whether it may take a built-in module's place, and whether something is granted of all that it imports.
pub(super) fn against_the_policy(manifest: &Manifest, imports: &[String], policy: &Policy) -> Result<(), Refusal> {
    let name = &manifest.name;
    if modules::is_built_in(name) && !policy.module(name).may_replace {
        return Err(format!(
            "the policy does not let it take the place of the built-in module {name}: add\n\n[[module]]\nnames = [\"{name}\"]\n\
             replace = true\nreason = \"...\""
        ));
    }
    let ungranted = ungranted(name, imports, policy);
    if ungranted.is_empty() {
        return Ok(());
    }
    let mut text = format!("the policy grants {name} nothing of {}, which it imports: add", ungranted.join(", "));
    ungranted.iter().for_each(|capability| text += &permit(name, capability));
    Err(text)
}

/// Of what a module imports, that of which the policy grants it nothing.
pub(super) fn ungranted<'a>(module: &str, imports: &'a [String], policy: &Policy) -> Vec<&'a str> {
    let names = imports.iter().map(String::as_str);
    names.filter(|capability| !policy.grants_any(module, capability, None)).collect()
}

/// The form of a permit: what must be said is there, for the owner to fill in.
fn permit(module: &str, capability: &str) -> String {
    let mut text = format!("\n\n[[permit]]\ncapability = \"{capability}\"\nmodules = [\"{module}\"]");
    let keys = shape::find(capability).map_or(&[][..], |shape| shape.keys);
    for key in keys.iter().filter(|key| key.required) {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{} = ...  # {}", key.name, key.doc);
    }
    text + "\nreason = \"...\""
}

/// The commands that no rule of the policy lets clients use.
pub(super) fn unruled<'a>(manifest: &'a Manifest, policy: &Policy) -> Vec<&'a str> {
    let names = manifest.commands.iter().map(|command| command.name.as_str());
    names.filter(|name| policy.command(name, false, |_| 0).mode == bulkhead_policy::Mode::Deny).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_policy::Document;
    use bulkhead_store::{Command, Entry, Quarantine, Version};

    fn manifest(name: &str, commands: &[&str]) -> Manifest {
        let commands = commands.iter().map(|name| Command {
            name: (*name).to_owned(),
            while_frozen: false,
            success_response: true,
            arguments: Vec::new(),
        });
        Manifest {
            manifest: 1,
            name: name.to_owned(),
            version: "1.0".to_owned(),
            counter: 5,
            agent: "0.1.0".to_owned(),
            description: "A test.".to_owned(),
            commands: commands.collect(),
            schema: String::new(),
            self_test: Vec::new(),
        }
    }

    fn installed(manifest: Manifest, digest: &str) -> State {
        let version = Version {
            digest: digest.to_owned(),
            manifest: manifest.clone(),
            imports: Vec::new(),
            signer: String::new(),
            codes: Vec::new(),
            installed: 0,
            proven: false,
        };
        let entry = Entry { enabled: true, counter: manifest.counter, current: None, versions: vec![version] };
        State { modules: [(manifest.name, entry)].into(), ..State::default() }
    }

    #[test]
    fn a_built_in_module_is_replaced_as_a_whole_or_not_at_all() {
        let file: Vec<_> = COMMANDS.iter().filter(|it| it.module == "file").map(|it| it.name).collect();
        assert_eq!(against_the_agent(&manifest("file", &file)), Ok(()));
        let said = against_the_agent(&manifest("file", &file[1..])).unwrap_err();
        assert!(said.contains(&format!("has no command {}", file[0])), "{said}");
        let said = against_the_agent(&manifest("com.example.x", &["guest-ping"])).unwrap_err();
        assert_eq!(said, "its command guest-ping is one of the built-in module core");
        assert!(
            against_the_agent(&manifest("files", &[])).unwrap_err().starts_with("no built-in module is called files")
        );
    }

    #[test]
    fn a_module_for_a_newer_agent_waits_for_it() {
        let of = |agent: &str| Manifest { agent: agent.to_owned(), ..manifest("com.example.x", &["__com.example_x"]) };
        assert_eq!(against_the_agent(&of(bulkhead_host::VERSION)), Ok(()));
        for agent in ["0.1.1", "0.10.0", "1.0.0"] {
            assert!(against_the_agent(&of(agent)).unwrap_err().contains("install a newer agent"), "{agent}");
        }
    }

    #[test]
    fn a_counter_never_goes_back() {
        let (module, old) = (manifest("com.example.x", &["__com.example_x"]), "a".repeat(64));
        let state = installed(module.clone(), &old);
        assert_eq!(against_the_store(&module, &old, &state), Ok(()), "the same again");
        assert!(against_the_store(&module, "b", &state).unwrap_err().contains("has the counter 5 too"));
        let older = Manifest { counter: 4, ..module.clone() };
        assert!(against_the_store(&older, "b", &state).unwrap_err().contains("its counter is 4"));
        let newer = Manifest { counter: 6, ..module };
        assert_eq!(against_the_store(&newer, "b", &state), Ok(()));
    }

    #[test]
    fn nobody_takes_a_command_of_another() {
        let state = installed(manifest("com.example.x", &["__com.example_x"]), "a");
        let said = against_the_store(&manifest("com.example.y", &["__com.example_x"]), "b", &state).unwrap_err();
        assert_eq!(said, "its command __com.example_x is one of the installed module com.example.x");
    }

    #[test]
    fn what_is_in_quarantine_stays_there() {
        let (reason, module, version) = ("it traps".to_owned(), "com.example.x".to_owned(), "1.0".to_owned());
        let quarantine = [("a".to_owned(), Quarantine { module, version, reason, since: 0 })].into();
        let state = State { quarantine, ..State::default() };
        assert!(against_the_store(&manifest("com.example.x", &[]), "a", &state).unwrap_err().contains("it traps"));
    }

    #[test]
    fn what_the_policy_must_say_is_said() {
        let policy = |rules: &str| {
            let (commands, modules) = (commands::names(), modules::names());
            let document = Document::parse("p", &format!("version = 1\n{rules}"), &commands, &modules).unwrap();
            Policy::merge([document], &commands, &modules).unwrap()
        };
        let imports = ["clock".to_owned(), "files".to_owned()];
        let module = manifest("com.example.x", &["__com.example_x"]);
        let said = against_the_policy(&module, &imports, &policy("")).unwrap_err();
        assert!(
            said.starts_with("the policy grants com.example.x nothing of clock, files, which it imports: add\n"),
            "{said}"
        );
        assert!(
            said.contains("capability = \"files\"\nmodules = [\"com.example.x\"]\ntrees = ...  # Folders"),
            "{said}"
        );
        let clock = "[[permit]]\ncapability = \"clock\"\nmodules = [\"com.example.x\"]\nreason = \"x\"\n";
        assert_eq!(against_the_policy(&module, &imports[..1], &policy(clock)), Ok(()));
        assert_eq!(unruled(&module, &policy(clock)), ["__com.example_x"]);
        let said = against_the_policy(&manifest("core", &[]), &[], &policy("")).unwrap_err();
        assert!(said.contains("[[module]]\nnames = [\"core\"]\nreplace = true"), "{said}");
        let replace = "[[module]]\nnames = [\"core\"]\nreplace = true\nreason = \"x\"\n";
        assert_eq!(against_the_policy(&manifest("core", &[]), &[], &policy(replace)), Ok(()));
    }
}
