//! Policies that nobody wrote.

use bulkhead_policy::shape::{Kind, SHAPES, Shape};
use bulkhead_policy::{Document, Policy};
use std::fmt::Write;

pub(crate) const COMMANDS: &[&str] = &["guest-ping", "guest-exec", "guest-file-open", "guest-file-read"];
pub(crate) const MODULES: &[&str] = &["file", "exec", "report"];

/// Modules and commands that policies speak of though the reader does not know them.
pub(crate) const VENDORS: &[&str] = &["com.example.backup", "org.bulkhead"];
const VENDORS_COMMANDS: &[&str] = &["__com.example_run", "__com.example_*", "__*"];

pub(crate) const PATHS: &[&str] = &["/", "/a", "/a/b", "/c"];

/// How many policies a property is shown on.
pub(crate) const POLICIES: u64 = 4000;

const NAMES: &[&str] = &["root", "alice", "*"];

/// Numbers that look random and are the same in every run (xorshift).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn one_of<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    fn some_of(&mut self, from: &[&str]) -> String {
        let chosen: Vec<_> = (0..=self.roll(2)).map(|_| format!("{:?}", self.one_of(from))).collect();
        format!("[{}]", chosen.join(", "))
    }

    /// The text of a rule about commands.
    pub(crate) fn command(&mut self, modes: &[&str]) -> String {
        let mut names = COMMANDS.to_vec();
        names.extend(["guest-file-*", "*"]);
        names.extend(VENDORS_COMMANDS);
        let (names, mode) = (self.some_of(&names), self.one_of(modes));
        let when = self.one_of(&["", "while = \"frozen\"\n", "while = \"thawed\"\n"]);
        let pace = if mode == "deny" { self.one_of(&["", "faster-than = { calls = 5, seconds = 10 }\n"]) } else { "" };
        format!("[[command]]\nnames = {names}\nmode = \"{mode}\"\n{when}{pace}")
    }

    /// The text of a rule about what modules may do.
    pub(crate) fn grant(&mut self, effect: &str) -> String {
        let shape = &SHAPES[self.roll(SHAPES.len())];
        self.grant_of(shape, effect)
    }

    /// The text of a permit that can have settings.
    pub(crate) fn permit_with_settings(&mut self) -> String {
        let shapes: Vec<_> = SHAPES.iter().filter(|shape| shape.keys.iter().any(|key| key.kind.is_setting())).collect();
        let shape = shapes[self.roll(shapes.len())];
        self.grant_of(shape, "permit")
    }

    fn grant_of(&mut self, shape: &Shape, effect: &str) -> String {
        let mut text = format!("[[{effect}]]\ncapability = {:?}\nreason = \"dice\"\n", shape.capability);
        if effect == "permit" || self.roll(2) == 0 {
            let _ = writeln!(text, "modules = {}", self.modules());
        }
        for key in shape.keys {
            if key.kind.is_setting() && effect == "forbid" {
                continue;
            }
            if !(key.required && effect == "permit") && self.roll(2) == 0 {
                continue;
            }
            let value = match key.kind {
                Kind::Words(words) => self.some_of(words),
                Kind::Names if !key.required && effect == "permit" && self.roll(3) == 0 => "[]".to_owned(),
                Kind::Names => self.some_of(NAMES),
                Kind::Paths | Kind::Patterns if self.roll(3) == 0 => "[\"*\"]".to_owned(),
                Kind::Paths | Kind::Patterns | Kind::Trees => self.some_of(PATHS),
                Kind::FileNames => self.one_of(&["[\"*\"]", "[\"f\"]", "[\"*.log\", \"b\"]"]).to_owned(),
                Kind::Numbers => self.one_of(&["[1]", "[1, 2]", "[]", "\"*\""]).to_owned(),
                Kind::AtMost => self.one_of(&["\"10s\"", "\"1h\"", "\"any\""]).to_owned(),
                Kind::Flag => "true".to_owned(),
                Kind::Size => self.one_of(&["\"1KiB\"", "\"1MiB\"", "\"3B\""]).to_owned(),
                Kind::Time => self.one_of(&["\"10s\"", "\"1m\"", "\"2d\""]).to_owned(),
                Kind::Rate => self
                    .one_of(&[
                        "{ bytes = \"1MiB\", seconds = 1 }",
                        "{ bytes = \"1B\", seconds = 9 }",
                        "{ bytes = \"2B\", seconds = 18 }",
                        "{ bytes = \"1B\", seconds = 10 }",
                    ])
                    .to_owned(),
                Kind::User => self.one_of(&["\"alice\"", "\"bob\""]).to_owned(),
                Kind::Templates => self.one_of(&["[[]]", "[[\"-x\", \"*\"]]", "[[\"**\"]]"]).to_owned(),
            };
            let _ = writeln!(text, "{} = {value}", key.name);
        }
        text
    }

    /// The text of a rule about what compartments may use.
    pub(crate) fn limit(&mut self) -> String {
        let mut text = "[[limit]]\n".to_owned();
        if self.roll(2) == 0 {
            let _ = writeln!(text, "modules = {}", self.modules());
        }
        let lines = ["memory = \"1MiB\"\n", "memory = \"8MiB\"\n", "deadline = \"2s\"\n", "deadline = \"9s\"\n"];
        text += self.one_of(&lines);
        text + self.one_of(&["", "handles = 0\n", "handles = 7\n", "children = 3\n", "reason = \"dice\"\n"])
    }

    /// The text of a rule about the life of modules.
    pub(crate) fn module(&mut self) -> String {
        let mut names = [MODULES, VENDORS].concat();
        names.extend(["com.example.*", "*"]);
        let mut text = format!("[[module]]\nnames = {}\nreason = \"dice\"\n", self.some_of(&names));
        let says = ["replace = true\n", "replace = false\n", "probation = 0\n", "probation = 7\n", "probation = 99\n"];
        text += self.one_of(&says);
        text + self.one_of(&[
            "",
            "strikes = { failures = 1, seconds = 1 }\n",
            "strikes = { failures = 5, seconds = 60 }\n",
            "strikes = { failures = 5, seconds = 61 }\n",
        ])
    }

    /// Names of some modules, most of them built in.
    fn modules(&mut self) -> String {
        if self.roll(4) == 0 { self.some_of(VENDORS) } else { self.some_of(MODULES) }
    }

    pub(crate) fn rules(&mut self) -> Vec<String> {
        let count = self.roll(8);
        (0..count)
            .map(|_| match self.roll(6) {
                0 => self.command(&["enforce", "observe", "deny"]),
                1 => self.grant("forbid"),
                2 => self.limit(),
                3 => self.module(),
                _ => self.grant("permit"),
            })
            .collect()
    }
}

/// The text of a file with these rules.
pub(crate) fn file(rules: &[String]) -> String {
    format!("version = 1\n{}", rules.concat())
}

pub(crate) fn policy(rules: &[String]) -> Policy {
    read(&file(rules))
}

pub(crate) fn read(text: &str) -> Policy {
    let document = Document::parse("dice", text, COMMANDS, MODULES).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Policy::merge([document], COMMANDS, MODULES).unwrap()
}
