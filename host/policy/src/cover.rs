//! Whether one permit leaves nothing for another to say.

use crate::grant::{Effect, Grant, Value};
use crate::matching::fits;
use crate::shape::{Key, Kind};
use crate::tree;
use std::path::Path;

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

    /// Whether its settings are those of `other`, so that it does not matter by which of both a use is permitted.
    pub fn has_settings_of(&self, other: &Grant) -> bool {
        self.width() == other.width()
    }

    /// Whether this forbid leaves nothing of a permit, as far as their texts tell.
    pub fn forbids_whole(&self, permit: &Grant) -> bool {
        let effects = (self.effect, permit.effect) == (Effect::Forbid, Effect::Permit);
        let all_modules = self.modules.is_empty() || permit.modules.iter().all(|module| self.modules.contains(module));
        // What a permit may mean without saying it, a forbid that says it leaves the rest of.
        let leaves_nothing = |key: &Key, value: &Value| match key.kind {
            Kind::Flag | Kind::AtMost => false,
            kind => is_everything(value) || permit.value(key.name).is_some_and(|own| encloses(kind, value, own)),
        };
        effects
            && all_modules
            && self.shape == permit.shape
            && self.values.iter().all(|(key, value)| leaves_nothing(key, value))
    }
}

/// Whether all that the second value means, the first means too; of trees those that lie in others by their names.
fn encloses(kind: Kind, wide: &Value, narrow: &Value) -> bool {
    match (kind, wide, narrow) {
        (Kind::Trees, Value::Texts(wide), Value::Texts(narrow)) => {
            narrow.iter().all(|tree| wide.iter().any(|around| Path::new(tree).starts_with(around)))
        }
        _ => contains(kind, wide, narrow),
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
            let is_like = |text: &String, wide: &String| {
                kind == Kind::FileNames && !text.contains('*') && tree::is_like(wide.as_bytes(), text.as_bytes())
            };
            root || narrow.iter().all(|text| wide.iter().any(|wide| wide == text || is_like(text, wide)))
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
    fn a_forbid_may_leave_nothing_of_a_permit() {
        let forbid = |capability: &str, lines: &str| {
            let text = format!("version = 1\n[[forbid]]\ncapability = \"{capability}\"\nreason = \"\"\n{lines}");
            Document::parse("p", &text, &[], &["file", "exec"]).unwrap().grants.remove(0)
        };
        let log = "trees = [\"/var/log/app\"]\naccess = [\"read\"]";
        for (capability, without, with, whole) in [
            ("files", "", log, true),
            ("files", "trees = [\"/var/log\"]", log, true),
            ("files", "trees = [\"/var/lo\"]", log, false),
            ("files", "trees = [\"/var/log/app/private\"]", log, false),
            ("files", "trees = [\"/\"]\naccess = [\"write\"]", log, false),
            ("files", "access = [\"read\", \"write\"]", log, true),
            ("files", "links = true", log, false),
            ("files", "names = [\"*.key\"]", log, false),
            ("files", "modules = [\"exec\"]", log, false),
            ("accounts", "users = [\"root\"]", "users = [\"root\"]\nmay = [\"password\"]", true),
            ("accounts", "users = [\"root\"]", "users = [\"*\"]\nmay = [\"password\"]", false),
            ("processes", "programs = [\"*\"]", "programs = [\"/bin/a\"]", true),
            ("processes", "arguments = [[\"-x\"]]", "programs = [\"/bin/a\"]", false),
        ] {
            assert_eq!(
                forbid(capability, without).forbids_whole(&permit(capability, with)),
                whole,
                "{without} / {with}"
            );
        }
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
