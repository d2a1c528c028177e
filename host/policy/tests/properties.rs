//! What is true of every policy, shown on some thousands that nobody wrote.

use bulkhead_policy::shape::{Kind, SHAPES};
use bulkhead_policy::{Ask, Document, Mode, Policy};
use std::fmt::Write;
use std::time::Duration;

const COMMANDS: &[&str] = &["guest-ping", "guest-exec", "guest-file-open", "guest-file-read"];
const MODULES: &[&str] = &["file", "exec", "report"];
const NAMES: &[&str] = &["root", "alice", "*"];
const PATHS: &[&str] = &["/", "/a", "/a/b", "/c"];
const ASKED: [&[&[u8]]; 4] = [&[b"root"], &[b"alice"], &[b"bob", b"root"], &[]];
const POLICIES: u64 = 4000;

/// Numbers that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
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
    fn command(&mut self, modes: &[&str]) -> String {
        let mut names = COMMANDS.to_vec();
        names.extend(["guest-file-*", "*"]);
        let (names, mode) = (self.some_of(&names), self.one_of(modes));
        let when = self.one_of(&["", "while = \"frozen\"\n", "while = \"thawed\"\n"]);
        let pace = if mode == "deny" { self.one_of(&["", "faster-than = { calls = 5, seconds = 10 }\n"]) } else { "" };
        format!("[[command]]\nnames = {names}\nmode = \"{mode}\"\n{when}{pace}")
    }

    /// The text of a rule about what modules may do.
    fn grant(&mut self, effect: &str) -> String {
        let shape = &SHAPES[self.roll(SHAPES.len())];
        let mut text = format!("[[{effect}]]\ncapability = {:?}\nreason = \"dice\"\n", shape.capability);
        if self.roll(2) == 0 {
            let _ = writeln!(text, "modules = {}", self.some_of(MODULES));
        }
        for key in shape.keys {
            if !(key.required && effect == "permit") && self.roll(2) == 0 {
                continue;
            }
            let value = match key.kind {
                Kind::Words(words) => self.some_of(words),
                Kind::Names => self.some_of(NAMES),
                Kind::Paths | Kind::Patterns | Kind::Trees => self.some_of(PATHS),
                Kind::Numbers => self.one_of(&["[1]", "[1, 2]", "\"*\""]).to_owned(),
                Kind::AtMost => self.one_of(&["\"10s\"", "\"1h\"", "\"any\""]).to_owned(),
                Kind::Flag => "true".to_owned(),
                Kind::Templates => self.one_of(&["[[]]", "[[\"-x\", \"*\"]]", "[[\"**\"]]"]).to_owned(),
            };
            let _ = writeln!(text, "{} = {value}", key.name);
        }
        text
    }

    fn rules(&mut self) -> Vec<String> {
        let count = self.roll(8);
        (0..count)
            .map(|_| match self.roll(4) {
                0 => self.command(&["enforce", "observe", "deny"]),
                1 => self.grant("forbid"),
                _ => self.grant("permit"),
            })
            .collect()
    }
}

fn policy(rules: &[String]) -> Policy {
    let text = format!("version = 1\n{}", rules.concat());
    let document = Document::parse("dice", &text, COMMANDS, MODULES).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Policy::merge([document], COMMANDS, MODULES).unwrap()
}

/// Every decision that the properties look at: commands first, then uses of capabilities.
fn decisions(policy: &Policy) -> (Vec<Mode>, Vec<bool>) {
    let mut modes = Vec::new();
    for command in COMMANDS {
        for (frozen, calls) in [(false, 0), (true, 0), (false, 9)] {
            modes.push(policy.command(command, frozen, |_| calls).mode);
        }
    }
    let mut allowed = Vec::new();
    let arguments = [b"-x".to_vec(), b"y".to_vec()];
    for module in MODULES {
        for shape in SHAPES {
            for variant in 0..4 {
                let word = |words: &'static [&'static str]| &words[..=(variant % words.len())];
                let asks: Vec<(&str, Ask<'_>)> = shape
                    .keys
                    .iter()
                    .map(|key| {
                        let ask = match key.kind {
                            Kind::Words(words) => Ask::Words(word(words)),
                            Kind::Names => Ask::Names(ASKED[variant]),
                            Kind::Paths | Kind::Patterns => Ask::Path(PATHS[variant].as_bytes()),
                            Kind::Trees => Ask::Within(&PATHS[..variant]),
                            Kind::Numbers => Ask::Number(i64::try_from(variant).unwrap()),
                            Kind::AtMost => Ask::Amount(Duration::from_secs(60 * variant as u64)),
                            Kind::Flag => Ask::Flag(variant % 2 == 1),
                            Kind::Templates => Ask::Arguments(&arguments[..variant.min(2)]),
                        };
                        (key.name, ask)
                    })
                    .collect();
                allowed.push(policy.judge(module, shape.capability, &asks).allowed);
            }
        }
    }
    (modes, allowed)
}

#[test]
fn the_order_of_rules_means_nothing() {
    let mut dice = Dice(0x5eed);
    for _ in 0..POLICIES {
        let mut rules = dice.rules();
        let before = decisions(&policy(&rules));
        rules.reverse();
        let turn = dice.roll(rules.len().max(1));
        rules.rotate_left(turn);
        assert_eq!(decisions(&policy(&rules)), before, "{}", rules.concat());
    }
}

#[test]
fn forbidding_and_denying_never_allow_more() {
    let mut dice = Dice(0xf0b1d);
    for _ in 0..POLICIES {
        let mut rules = dice.rules();
        let (modes, allowed) = decisions(&policy(&rules));
        rules.push(dice.grant("forbid"));
        rules.push(dice.command(&["deny"]));
        let (stricter, fewer) = decisions(&policy(&rules));
        assert!(modes.iter().zip(&stricter).all(|(before, after)| after >= before), "{}", rules.concat());
        assert!(allowed.iter().zip(&fewer).all(|(before, after)| *before || !after), "{}", rules.concat());
    }
}

#[test]
fn permitting_never_denies_more() {
    let mut dice = Dice(0x9e3171);
    for _ in 0..POLICIES {
        let mut rules = dice.rules();
        let (modes, allowed) = decisions(&policy(&rules));
        rules.push(dice.grant("permit"));
        rules.push(dice.command(&["enforce", "observe"]));
        let (laxer, more) = decisions(&policy(&rules));
        let runs = |mode: &Mode| *mode != Mode::Deny;
        assert!(modes.iter().zip(&laxer).all(|(before, after)| !runs(before) || runs(after)), "{}", rules.concat());
        assert!(allowed.iter().zip(&more).all(|(before, after)| !before || *after), "{}", rules.concat());
    }
}

#[test]
fn what_is_forbidden_without_conditions_is_denied_whatever_permits_it() {
    let mut dice = Dice(0xdeed);
    for _ in 0..POLICIES / 4 {
        let mut rules = dice.rules();
        for shape in SHAPES {
            rules.push(format!("[[forbid]]\ncapability = {:?}\nreason = \"all of it\"\n", shape.capability));
        }
        rules.push("[[command]]\nnames = [\"*\"]\nmode = \"deny\"\n".to_owned());
        let (modes, allowed) = decisions(&policy(&rules));
        assert!(modes.iter().all(|mode| *mode == Mode::Deny) && !allowed.contains(&true), "{}", rules.concat());
    }
}

#[test]
fn the_properties_look_at_policies_that_differ() {
    let mut dice = Dice(0x5eed);
    let (mut yes, mut no) = (0, 0);
    for _ in 0..500 {
        let (_, allowed) = decisions(&policy(&dice.rules()));
        yes += allowed.iter().filter(|allowed| **allowed).count();
        no += allowed.iter().filter(|allowed| !**allowed).count();
    }
    assert!(yes > 1000 && no > 1000, "{yes} allowed, {no} denied");
}
