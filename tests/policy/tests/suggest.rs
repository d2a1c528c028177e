//! A suggested policy holds: what the audit saw denied, it permits, each of some thousand audits; and nothing else is
//! permitted by accident.

use bulkhead_catalog::{commands, modules};
use bulkhead_policy::{Ask, Asks, Document, Mode, Policy, permit_for};
use bulkhead_tools::policy::{Known, suggest};
use serde_json::json;

const AUDITS: u64 = 500;
const PATHS: &[&str] = &["/var/log/a", "/var/log/b", "/var/log/deep/c", "/etc/hosts", "/motd"];
const PROGRAMS: &[&str] = &["/bin/id", "/usr/bin/env", "/usr/sbin/deploy"];
const USERS: &[&str] = &["root", "alice", "bob"];
const ACCESS: &[&str] = &["read", "write", "append", "create", "truncate"];

/// Numbers that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).expect("it is small")
    }

    fn one_of<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

/// What a client did, without borrowing anything.
#[derive(Clone, Debug)]
enum Deed {
    Open { path: &'static str, access: Vec<&'static str>, links: bool },
    Run { program: &'static str, arguments: Vec<Vec<u8>>, environment: Vec<&'static str> },
    Account { user: &'static str, deed: &'static str },
    Power(&'static str),
    Freeze(&'static str),
    Step(u64),
    Processor(i64),
    Memory,
    Network,
}

impl Deed {
    fn rolled(dice: &mut Dice) -> Deed {
        match dice.roll(9) {
            0 | 1 => {
                let first = dice.roll(ACCESS.len());
                let access = ACCESS[first..].iter().take(1 + dice.roll(2)).copied().collect();
                Deed::Open { path: dice.one_of(PATHS), access, links: dice.roll(4) == 0 }
            }
            2 => {
                let arguments = (0..dice.roll(3)).map(|_| dice.one_of(USERS).into()).collect();
                let environment = ["LANG", "LD_PRELOAD"][..dice.roll(3)].to_vec();
                Deed::Run { program: dice.one_of(PROGRAMS), arguments, environment }
            }
            3 => {
                Deed::Account { user: dice.one_of(USERS), deed: dice.one_of(&["password", "read-keys", "write-keys"]) }
            }
            4 => Deed::Power(dice.one_of(&["halt", "reboot", "suspend-ram"])),
            5 => Deed::Freeze(dice.one_of(&["/", "/data"])),
            6 => Deed::Step(dice.roll(100) as u64),
            7 if dice.roll(4) == 0 => Deed::Memory,
            7 => Deed::Processor(dice.roll(4) as i64),
            _ => Deed::Network,
        }
    }

    /// Command, module, capability, and with `policy` what is asked. Text tells what lies in which tree: in these audits
    /// there are no links.
    fn with<T>(&self, policy: &Policy, act: impl FnOnce(&str, &str, &str, &Asks<'_>) -> T) -> T {
        match self {
            Deed::Open { path, access, links } => {
                let inside =
                    |tree: &&str| path.strip_prefix(tree).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
                let trees: Vec<_> = policy.trees("file", "files").into_iter().filter(inside).collect();
                let within = Ask::Within { surely: &trees, perhaps: &[], path: path.as_bytes() };
                let asks = [("trees", within), ("access", Ask::Words(access)), ("links", Ask::Flag(*links))];
                act("guest-file-open", "file", "files", &asks)
            }
            Deed::Run { program, arguments, environment } => {
                let names: Vec<&[u8]> = environment.iter().map(|name| name.as_bytes()).collect();
                let asks = [
                    ("programs", Ask::Path(program.as_bytes())),
                    ("arguments", Ask::Arguments(arguments)),
                    ("environment", Ask::Names(&names)),
                ];
                act("guest-exec", "exec", "processes", &asks)
            }
            Deed::Account { user, deed } => {
                let asks = [("users", Ask::Names(&[user.as_bytes()])), ("may", Ask::Words(&[deed]))];
                act("guest-ssh-add-authorized-keys", "account", "accounts", &asks)
            }
            Deed::Power(mode) => act("guest-shutdown", "power", "power", &[("modes", Ask::Words(&[mode]))]),
            Deed::Freeze(point) => {
                act("guest-fsfreeze-freeze", "filesystem", "freezer", &[("mount-points", Ask::Path(point.as_bytes()))])
            }
            Deed::Step(seconds) => {
                let step = std::time::Duration::from_secs(*seconds);
                act("guest-set-time", "time", "clock-setting", &[("step", Ask::Amount(step))])
            }
            Deed::Processor(id) => act("guest-set-vcpus", "hotplug", "hotplug", &[("processors", Ask::Number(*id))]),
            Deed::Memory => act("guest-set-memory-blocks", "hotplug", "hotplug", &[("memory", Ask::Flag(true))]),
            Deed::Network => act("guest-network-get-interfaces", "report", "network", &[]),
        }
    }

    /// The line that an audit has of it, under a policy that permits nothing and observes.
    fn line(&self, second: usize) -> String {
        self.with(&Policy::default(), |command, module, capability, asks| {
            let permit = permit_for(module, capability, asks, false);
            let judgement = json!({"capability": capability, "module": module, "allowed": false, "rule": null, "times": 1, "permit": permit});
            let time = format!("2026-11-22T10:00:{:02}.000000Z", second % 60);
            json!({"time": time, "command": command, "decision": "observe", "judgements": [judgement]}).to_string()
        })
    }

    fn is_permitted(&self, policy: &Policy) -> bool {
        self.with(policy, |command, module, capability, asks| {
            policy.command(command, false, |_| 0).mode == Mode::Enforce
                && policy.judge(module, capability, asks).allowed
        })
    }
}

fn suggested(deeds: &[Deed], generalize: bool) -> Policy {
    let lines: Vec<String> = deeds.iter().enumerate().map(|(second, deed)| deed.line(second)).collect();
    let text = suggest(lines.iter().map(String::as_str), &Known::built_in(), None, generalize);
    let (commands, modules) = (commands::names(), modules::names());
    let document = Document::parse("suggested", &text, &commands, &modules);
    Policy::merge([document.unwrap_or_else(|error| panic!("{error}\n{text}"))], &commands, &modules)
        .expect("it is one file")
}

#[test]
fn what_the_audit_saw_is_permitted() {
    let mut dice = Dice(0x5eed);
    for _ in 0..AUDITS {
        let deeds: Vec<_> = (0..dice.roll(20)).map(|_| Deed::rolled(&mut dice)).collect();
        for generalize in [false, true] {
            let policy = suggested(&deeds, generalize);
            for deed in &deeds {
                assert!(deed.is_permitted(&policy), "{deed:?} of {deeds:?}\n{}", policy.canonical());
            }
        }
    }
}

/// Whatever else a client could do is permitted only if a deed of the audit covers it, by itself.
#[test]
fn what_the_audit_did_not_see_is_not_permitted() {
    let mut dice = Dice(0xd1ce);
    let (mut permitted, mut denied) = (0, 0);
    for _ in 0..AUDITS {
        let deeds: Vec<_> = (0..dice.roll(20)).map(|_| Deed::rolled(&mut dice)).collect();
        let policy = suggested(&deeds, false);
        for _ in 0..20 {
            let other = Deed::rolled(&mut dice);
            let covered = deeds.iter().any(|deed| other.is_permitted(&suggested(std::slice::from_ref(deed), false)));
            assert_eq!(other.is_permitted(&policy), covered, "{other:?} after {deeds:?}\n{}", policy.canonical());
            *(if covered { &mut permitted } else { &mut denied }) += 1;
        }
    }
    assert!(permitted > 500 && denied > 500, "{permitted} {denied}: the dice are loaded");
}

/// An owner reads it: it is shorter than what it was made of.
#[test]
fn permits_that_can_be_one_are_one() {
    let opened = PATHS.iter().map(|path| Deed::Open { path, access: vec!["read"], links: false });
    let run = PROGRAMS.iter().map(|program| Deed::Run { program, arguments: Vec::new(), environment: Vec::new() });
    let halted = ["halt", "reboot", "halt"].map(Deed::Power);
    let set = [5, 90, 30].map(Deed::Step);
    let deeds: Vec<_> = opened.chain(run).chain(halted).chain(set).collect();
    let policy = suggested(&deeds, false);
    assert_eq!(policy.grants.len(), 4, "{}", policy.canonical());
}
