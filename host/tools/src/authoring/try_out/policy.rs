//! What a module is granted while it is tried: all that it imports, unless the author says otherwise.

use bulkhead_catalog::{commands, modules};
use bulkhead_policy::shape::{self, Kind};
use bulkhead_policy::{Document, Policy};
use bulkhead_store::Manifest;
use std::fmt::Write;
use std::rc::Rc;

/// A policy that grants `manifest`'s module everything that it imports.
pub(super) fn everything(manifest: &Manifest, imports: &[String]) -> anyhow::Result<Rc<Policy>> {
    let rules: String = imports.iter().map(|capability| permit(capability, &manifest.name)).collect();
    of(manifest, "a policy that grants everything", &format!("version = 1\n{rules}"))
}

/// The policy of this text, and that every command runs. What the text denies stays denied, for the strictest rule decides.
pub(super) fn of(manifest: &Manifest, called: &str, text: &str) -> anyhow::Result<Rc<Policy>> {
    let own: Vec<&str> = manifest.commands.iter().map(|command| command.name.as_str()).collect();
    let commands = [commands::names().as_slice(), own.as_slice()].concat();
    let modules = [modules::names().as_slice(), &[manifest.name.as_str()]].concat();
    let granted = Document::parse(called, text, &commands, &modules)?;
    let run = "version = 1\n[[command]]\nnames = [\"*\"]\nmode = \"enforce\"\n";
    let run = Document::parse("every command runs", run, &commands, &modules)?;
    Ok(Rc::new(Policy::merge([granted, run], &commands, &modules)?))
}

/// The widest permit of a capability.
fn permit(capability: &str, module: &str) -> String {
    let mut text = format!("[[permit]]\ncapability = \"{capability}\"\nmodules = [\"{module}\"]\nreason = \"tried\"\n");
    for key in shape::find(capability).into_iter().flat_map(|shape| shape.keys) {
        let value = match key.kind {
            kind if kind.is_setting() => continue,
            Kind::Words(words) => format!("{words:?}"),
            Kind::Trees => "[\"/\"]".to_owned(),
            Kind::Numbers => "\"*\"".to_owned(),
            Kind::AtMost => "\"any\"".to_owned(),
            Kind::Flag => "true".to_owned(),
            // Without it, any arguments are meant.
            Kind::Templates => continue,
            _ => "[\"*\"]".to_owned(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} = {value}", key.name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_catalog::Capability;

    fn manifest() -> Manifest {
        Manifest {
            manifest: 1,
            name: "com.example.try".to_owned(),
            version: "1".to_owned(),
            counter: 1,
            agent: "0.1.0".to_owned(),
            description: "It.".to_owned(),
            commands: Vec::new(),
            schema: String::new(),
            self_test: Vec::new(),
        }
    }

    #[test]
    fn everything_is_everything() {
        let imports: Vec<String> = Capability::ALL.iter().map(|it| it.name().to_owned()).collect();
        let policy = everything(&manifest(), &imports).unwrap();
        for capability in &imports {
            assert!(policy.is_unrestricted("com.example.try", capability), "{capability}");
        }
        assert!(!everything(&manifest(), &[]).unwrap().is_unrestricted("com.example.try", "files"));
    }

    #[test]
    fn what_an_author_grants_is_all_there_is() {
        let text = "version = 1\n[[permit]]\ncapability = \"clock\"\nmodules = [\"com.example.try\"]\nreason = \"x\"\n";
        let policy = of(&manifest(), "case", text).unwrap();
        assert!(
            policy.is_unrestricted("com.example.try", "clock") && !policy.grants_any("com.example.try", "files", None)
        );
        let error =
            of(&manifest(), "case", "version = 1\n[[permit]]\ncapability = \"clok\"\n").unwrap_err().to_string();
        assert!(error.starts_with("case:3:"), "{error}");
    }
}
