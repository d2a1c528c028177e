//! Whether one permit leaves nothing for another to say.

use crate::grant::{Effect, Grant, Value};
use crate::matching::fits;
use crate::shape::Kind;
use crate::tree;

impl Grant {
    /// Whether `other` says nothing beside this permit: every use that it permits, this one permits with settings that are
    /// at least as wide. What only the gate can know, such as which folder lies in which, counts as no.
    pub fn makes_needless(&self, other: &Grant) -> bool {
        let permits = self.effect == Effect::Permit && other.effect == Effect::Permit;
        let conditions = || self.shape.keys.iter().filter(|key| !key.kind.is_setting());
        permits
            && self.shape == other.shape
            && other.modules.iter().all(|module| self.modules.contains(module))
            && conditions().all(|key| includes(key.kind, self.value(key.name), other.value(key.name)))
            && self.width() >= other.width()
    }
}

/// Whether a permit with `wide` for a key covers what one with `narrow` covers.
fn includes(kind: Kind, wide: Option<&Value>, narrow: Option<&Value>) -> bool {
    match (wide, narrow) {
        // A flag that is left out is false; what else is left out means everything.
        (None, narrow) => kind != Kind::Flag || narrow.is_none_or(|narrow| *narrow == Value::Flag(false)),
        (Some(wide), None) => kind == Kind::Flag || is_everything(wide),
        (Some(wide), Some(narrow)) => is_everything(wide) || contains(kind, wide, narrow),
    }
}

fn is_everything(value: &Value) -> bool {
    match value {
        Value::Texts(texts) | Value::Patterns(texts) => texts.iter().any(|text| text == "*"),
        Value::Templates(templates) => templates.iter().any(|template| *template == ["**"]),
        Value::Any | Value::AtMost(None) | Value::Flag(true) => true,
        _ => false,
    }
}

fn contains(kind: Kind, wide: &Value, narrow: &Value) -> bool {
    match (wide, narrow) {
        (Value::Texts(wide), Value::Texts(narrow)) => {
            let root = kind == Kind::Trees && wide.iter().any(|tree| tree == "/");
            root || narrow.iter().all(|text| wide.contains(text))
        }
        (Value::Patterns(wide), Value::Patterns(narrow)) => {
            let is_one_path = |pattern: &str| !pattern.contains('*') && !pattern.contains("...");
            let covered = |pattern: &str, wide: &String| {
                wide == pattern || (is_one_path(pattern) && tree::matches(wide, pattern.as_bytes()))
            };
            narrow.iter().all(|pattern| wide.iter().any(|wide| covered(pattern, wide)))
        }
        (Value::Numbers(wide), Value::Numbers(narrow)) => narrow.iter().all(|number| wide.contains(number)),
        (Value::AtMost(Some(wide)), Value::AtMost(Some(narrow))) => narrow <= wide,
        (Value::Flag(wide), Value::Flag(narrow)) => *wide || !narrow,
        (Value::Templates(wide), Value::Templates(narrow)) => {
            let is_open = |template: &[String]| template.iter().any(|word| word == "*" || word == "**");
            let covered = |template: &Vec<String>, wide: &Vec<String>| {
                let words = || template.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
                wide == template || (!is_open(template) && fits(wide, &words()))
            };
            narrow.iter().all(|template| wide.iter().any(|wide| covered(template, wide)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    fn permit(capability: &str, lines: &str) -> Grant {
        let text = format!(
            "version = 1\n[[permit]]\ncapability = \"{capability}\"\nmodules = [\"file\", \"exec\"]\nreason = \"\"\n{lines}"
        );
        Document::parse("p", &text, &[], &["file", "exec"])
            .unwrap_or_else(|error| panic!("{error}\n{text}"))
            .grants
            .remove(0)
    }

    #[test]
    fn a_permit_is_needless_beside_a_wider_one() {
        let bash = "programs = [\"/bin/bash\"]\n";
        for (capability, wide, narrow) in [
            ("power", "modes = [\"halt\", \"reboot\"]", "modes = [\"reboot\"]"),
            ("files", "trees = [\"/\"]\naccess = [\"read\"]\nlinks = true", "trees = [\"/a\"]\naccess = [\"read\"]"),
            ("processes", "programs = [\"*\"]", "programs = [\"/bin/bash\"]\narguments = [[]]"),
            (
                "processes",
                &format!("{bash}arguments = [[\"-c\", \"**\"]]"),
                &format!("{bash}arguments = [[\"-c\", \"x\"]]"),
            ),
            ("processes", bash, &format!("{bash}run-as = \"bob\"\ntime-limit = \"1m\"")),
            ("system-files", "files = [\"/proc/*\"]", "files = [\"/proc/stat\"]"),
            ("clock-setting", "step = \"2m\"", "step = \"90s\"\nhardware = false"),
            ("hotplug", "processors = \"*\"\nmemory = true", "processors = [1]"),
        ] {
            assert!(permit(capability, wide).makes_needless(&permit(capability, narrow)), "{wide} {narrow}");
            assert!(!permit(capability, narrow).makes_needless(&permit(capability, wide)), "{narrow} {wide}");
        }
    }

    #[test]
    fn what_only_the_gate_can_know_counts_as_no() {
        let tree = |path: &str| permit("files", &format!("trees = [\"{path}\"]\naccess = [\"read\"]"));
        assert!(!tree("/a").makes_needless(&tree("/a/b")), "/a/b may be a link to elsewhere");
    }

    #[test]
    fn another_user_is_neither_wider_nor_needless() {
        let as_user = |user: &str| permit("processes", &format!("programs = [\"/bin/id\"]\nrun-as = \"{user}\""));
        assert!(!as_user("alice").makes_needless(&as_user("bob")), "bob could not run it any more");
    }
}
