//! What an audit has seen.

use bulkhead_catalog::commands::Catalog;
use bulkhead_catalog::{commands, modules};
use bulkhead_policy::{Document, Effect, Grant, Value};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

/// What the lines of an audit told so far.
#[derive(Debug)]
pub(super) struct Learned {
    /// The commands that there are; a client may have asked for any name.
    catalog: Catalog,
    /// How many lines were about a command.
    pub(super) lines: u64,
    all: Seen,
    /// The commands that did not run, or only to be observed.
    pub(super) commands: BTreeMap<&'static str, Seen>,
    /// What was denied, each once.
    pub(super) uses: Vec<Use>,
    /// What was denied and is not suggested, in words.
    pub(super) left_out: BTreeSet<String>,
}

/// A use that was denied.
#[derive(Clone, Debug)]
pub(super) struct Use {
    /// The permit that would have allowed it.
    pub(super) grant: Grant,
    /// By which commands.
    pub(super) commands: BTreeSet<&'static str>,
    pub(super) seen: Seen,
}

/// How often something was seen, and when, in UTC. Times are texts of one form, so that their order is that of the alphabet.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    times: u64,
    first: String,
    last: String,
}

impl Seen {
    fn at(time: &str) -> Self {
        // To the second; and whatever stands there comes into a comment or a reason.
        let second = time.split(['.', 'Z']).next().unwrap_or_default();
        let time: String =
            second.chars().filter(|it| it.is_ascii_alphanumeric() || "-:".contains(*it)).take(20).collect();
        Seen { times: 1, first: time.clone(), last: time }
    }

    /// Both together.
    pub(super) fn add(&mut self, other: &Seen) {
        if self.times == 0 || other.first < self.first {
            self.first.clone_from(&other.first);
        }
        if other.last > self.last {
            self.last.clone_from(&other.last);
        }
        self.times += other.times;
    }
}

impl Display for Seen {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self.times {
            1 => write!(out, "once, {}", self.first),
            times => write!(out, "{times} times, first {}, last {}", self.first, self.last),
        }
    }
}

impl Use {
    /// The rule to suggest.
    pub(super) fn into_rule(self) -> Grant {
        let commands: Vec<_> = self.commands.into_iter().collect();
        Grant { reason: format!("learned: {}, {}", commands.join(", "), self.seen), ..self.grant }
    }

    /// What the other has seen, too.
    pub(super) fn add(&mut self, other: &Use) {
        self.commands.extend(&other.commands);
        self.seen.add(&other.seen);
    }
}

impl Learned {
    /// Nothing yet. Suggested are only commands that there are.
    pub(super) fn of(catalog: &Catalog) -> Self {
        Learned {
            catalog: catalog.clone(),
            lines: 0,
            all: Seen::default(),
            commands: BTreeMap::new(),
            uses: Vec::new(),
            left_out: BTreeSet::new(),
        }
    }

    /// From when to when.
    pub(super) fn span(&self) -> String {
        if self.lines == 0 { String::new() } else { format!(" from {} to {}", self.all.first, self.all.last) }
    }

    /// Takes a line in. Lines about anything but a command say nothing of a policy.
    pub(super) fn add(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        let Ok(line) = serde_json::from_str::<Json>(line) else {
            self.left_out.insert("lines that are not JSON".to_owned());
            return;
        };
        let Some(name) = line.get("command").and_then(Json::as_str) else { return };
        let seen = Seen::at(line.get("time").and_then(Json::as_str).unwrap_or_default());
        self.lines += 1;
        self.all.add(&seen);
        let Some(command) = self.catalog.find(name) else {
            self.left_out.insert("commands that there are not".to_owned());
            return;
        };
        let judgements = line.get("judgements").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        let denied: Vec<_> = judgements.iter().filter(|it| it.get("allowed") == Some(&Json::Bool(false))).collect();
        let text = |key: &str| line.get(key).and_then(Json::as_str).unwrap_or_default();
        match (text("decision"), text("rule")) {
            ("allow", _) => {}
            ("observe", _) | ("deny", "" | "no rule") => self.commands.entry(command.name).or_default().add(&seen),
            (_, rule @ ("lists" | "frozen" | "module" | "no grant")) => {
                let why = match rule {
                    "lists" => "the lists of the configuration",
                    "frozen" => "the frozen state",
                    "no grant" => "grants that it has none of (observe it, and the audit tells which)",
                    _ => "a module that could not be loaded",
                };
                self.left_out.insert(format!("{}, which was refused because of {why}", command.name));
            }
            (_, rule) => _ = self.left_out.insert(format!("{}, which was denied by {rule}", command.name)),
        }
        if line.get("forgotten").is_some() {
            self.left_out.insert(format!("some of what {} asked for, which the audit did not keep", command.name));
        }
        for judgement in denied {
            self.denied(command.name, judgement, &seen);
        }
    }

    fn denied(&mut self, command: &'static str, judgement: &Json, seen: &Seen) {
        let text = |key: &str| judgement.get(key).and_then(Json::as_str);
        let (module, capability) = (text("module").unwrap_or_default(), text("capability").unwrap_or_default());
        if let Some(rule) = text("rule") {
            self.left_out.insert(format!("{capability} of module {module} is forbidden by {rule}, for {command}"));
            return;
        }
        let grant = match permit(text("permit").unwrap_or_default(), module, capability) {
            Ok(grant) => grant,
            Err(fault) => {
                self.left_out.insert(format!("{capability} of module {module}, for {command}: {fault}"));
                return;
            }
        };
        let it = Use { grant, commands: BTreeSet::from([command]), seen: seen.clone() };
        match self.uses.iter_mut().find(|known| known.grant == it.grant) {
            Some(known) => known.add(&it),
            None => self.uses.push(it),
        }
    }
}

/// The permit that a line tells, if it is one, of what the line says, and permits one thing: a client that gives itself a
/// name of `*` must not have everybody permitted.
fn permit(text: &str, module: &str, capability: &str) -> Result<Grant, String> {
    let text = format!("version = 1\n[[permit]]\n{text}");
    let read = Document::parse("audit", &text, &commands::names(), &modules::names());
    // The agent itself leaves out what is too long to be kept, and a name that would stand for everybody.
    let document = read.map_err(|_| "the line tells no permit for just this".to_owned())?;
    let [grant] = &document.grants[..] else { return Err("the line tells more than a permit".to_owned()) };
    let more = !document.commands.is_empty() || !document.limits.is_empty() || !document.modules.is_empty();
    if more || document.profile.is_some() {
        return Err("the line tells more than a permit".to_owned());
    }
    if grant.effect != Effect::Permit || grant.modules != [module] || grant.shape.capability != capability {
        return Err("the line contradicts itself".to_owned());
    }
    let is_star = |value: &Value| match value {
        Value::Texts(texts) => texts.iter().any(|text| text == "*"),
        Value::Patterns(patterns) => patterns.iter().any(|pattern| pattern.contains('*') || pattern.contains("...")),
        value => matches!(value, Value::Any | Value::AtMost(None)),
    };
    if grant.values.iter().any(|(_, value)| is_star(value)) {
        return Err("the name that was asked for would stand for everything".to_owned());
    }
    Ok(grant.clone())
}
