//! Rules about what modules may do.

use crate::error::{Origin, PolicyError, suggestion};
use crate::shape::{self, Key, Kind, Shape};
use crate::table::{Item, Table};
use crate::tree;
use std::time::Duration;

/// A rule about what modules may do with a capability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whether it permits or forbids.
    pub effect: Effect,
    /// The capability, and what can be said of it.
    pub shape: &'static Shape,
    /// The modules meant; none named: all that import the capability.
    pub modules: Vec<String>,
    /// What the rule says, key by key.
    pub values: Vec<(&'static Key, Value)>,
    /// Why the owner wants it.
    pub reason: String,
    /// Where it stands.
    pub origin: Origin,
}

/// What a grant does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Allows, unless something forbids it.
    Permit,
    /// Denies, whatever permits it.
    Forbid,
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of [`Kind::Words`], [`Kind::Names`], [`Kind::Paths`] and [`Kind::Trees`].
    Texts(Vec<String>),
    /// Of [`Kind::Patterns`].
    Patterns(Vec<String>),
    /// Of [`Kind::Numbers`].
    Numbers(Vec<i64>),
    /// Of [`Kind::Numbers`]: every number.
    Any,
    /// Of [`Kind::AtMost`]; none for no bound.
    AtMost(Option<Duration>),
    /// Of [`Kind::Flag`].
    Flag(bool),
    /// Of [`Kind::Templates`].
    Templates(Vec<Vec<String>>),
}

/// The value that the gate is about to use, for one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask<'a> {
    /// All of these words, for [`Kind::Words`].
    Words(&'a [&'a str]),
    /// All of these names, for [`Kind::Names`].
    Names(&'a [&'a [u8]]),
    /// This path, for [`Kind::Paths`] and [`Kind::Patterns`].
    Path(&'a [u8]),
    /// An object that lies in these trees, of those that the policy names, for [`Kind::Trees`].
    Within(&'a [&'a str]),
    /// This number, for [`Kind::Numbers`].
    Number(i64),
    /// This much, for [`Kind::AtMost`].
    Amount(Duration),
    /// Whether it is wanted, for [`Kind::Flag`].
    Flag(bool),
    /// These arguments, for [`Kind::Templates`].
    Arguments(&'a [Vec<u8>]),
}

/// All that the gate is about to use, key by key.
pub type Asks<'a> = [(&'static str, Ask<'a>)];

/// What a policy says of a use of a capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// Whether it is allowed.
    pub allowed: bool,
    /// The rule that decides; none if no rule permits it.
    pub rule: Option<&'a Grant>,
}

impl Grant {
    /// Reads a `[[permit]]` or `[[forbid]]`.
    pub(crate) fn read(effect: Effect, mut table: Table<'_>, modules: &[&str]) -> Result<Self, PolicyError> {
        let capability = table.required("capability")?;
        let name = capability.text()?;
        let Some(shape) = shape::find(name) else {
            let meant = suggestion(name, shape::SHAPES.iter().map(|shape| shape.capability));
            return Err(capability.error(format!("there is no capability '{name}'{meant}")));
        };
        let named = table.take("modules").map(|item| known(&item, modules)).transpose()?.unwrap_or_default();
        let mut values = Vec::new();
        for key in shape.keys {
            match table.take(key.name) {
                Some(item) => values.push((key, value(key.kind, effect, &item)?)),
                None if key.required && effect == Effect::Permit => {
                    return Err(table.error(format!("a permit of '{name}' needs the key '{}': {}", key.name, key.doc)));
                }
                None => {}
            }
        }
        let reason = table.required("reason")?.text()?.to_owned();
        let origin = table.origin();
        table.finish()?;
        Ok(Grant { effect, shape, modules: named, values, reason, origin })
    }

    /// The value of a key.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }

    /// Whether it speaks of this module and capability.
    pub(crate) fn concerns(&self, module: &str, capability: &str) -> bool {
        self.shape.capability == capability && (self.modules.is_empty() || self.modules.iter().any(|it| it == module))
    }

    /// Whether it speaks of such a use. A permit does if it covers everything that is asked for; a forbid does if all it
    /// says is true of what is asked for.
    pub(crate) fn applies(&self, asks: &Asks<'_>) -> bool {
        match self.effect {
            Effect::Permit => asks.iter().all(|(name, ask)| match self.value(name) {
                Some(value) => covers(value, *ask),
                None => *ask != Ask::Flag(true),
            }),
            Effect::Forbid => self
                .values
                .iter()
                .all(|(key, value)| asks.iter().any(|(name, ask)| *name == key.name && touches(value, *ask))),
        }
    }
}

fn known(item: &Item<'_>, modules: &[&str]) -> Result<Vec<String>, PolicyError> {
    let check = |(name, item): (&str, Item<'_>)| {
        if modules.contains(&name) {
            return Ok(name.to_owned());
        }
        let meant = suggestion(name, modules.iter().copied());
        Err(item.error(format!("there is no module '{name}'{meant}")))
    };
    item.texts()?.into_iter().map(check).collect()
}

fn value(kind: Kind, effect: Effect, item: &Item<'_>) -> Result<Value, PolicyError> {
    let texts = |check: &dyn Fn(&str) -> Option<String>| {
        let one = |(text, item): (&str, Item<'_>)| match check(text) {
            Some(fault) => Err(item.error(fault)),
            None => Ok(text.to_owned()),
        };
        item.texts()?.into_iter().map(one).collect::<Result<_, _>>().map(Value::Texts)
    };
    match kind {
        Kind::Words(words) => texts(&|text| {
            let unknown =
                || format!("'{text}' is none of {}{}", words.join(", "), suggestion(text, words.iter().copied()));
            (!words.contains(&text)).then(unknown)
        }),
        Kind::Names => texts(&|text| text.is_empty().then(|| "a name is not empty".to_owned())),
        Kind::Paths => texts(&plain_or_all),
        Kind::Trees => texts(&not_plain),
        Kind::Patterns => texts(&plain_or_all).map(|value| match value {
            Value::Texts(patterns) => Value::Patterns(patterns),
            other => other,
        }),
        Kind::Numbers if item.is_text("*") => Ok(Value::Any),
        Kind::Numbers => Ok(Value::Numbers(item.list()?.iter().map(Item::number).collect::<Result<_, _>>()?)),
        Kind::AtMost if item.is_text("any") => Ok(Value::AtMost(None)),
        Kind::AtMost => duration(item.text()?)
            .map(|most| Value::AtMost(Some(most)))
            .ok_or_else(|| item.error("a duration is a number and s, m, h or d, such as \"30s\"; or \"any\"")),
        Kind::Flag if effect == Effect::Forbid && !item.flag()? => {
            Err(item.error("forbidding what is false would forbid nothing: leave the key out, or say true"))
        }
        Kind::Flag => item.flag().map(Value::Flag),
        Kind::Templates => item.list()?.iter().map(template).collect::<Result<_, _>>().map(Value::Templates),
    }
}

fn template(item: &Item<'_>) -> Result<Vec<String>, PolicyError> {
    let words = item.list()?;
    let last = words.len().saturating_sub(1);
    let word = |(index, item): (usize, &Item<'_>)| match item.text()? {
        "**" if index != last => Err(item.error("'**' stands for all further arguments, so it comes last")),
        text => Ok(text.to_owned()),
    };
    words.iter().enumerate().map(word).collect()
}

/// What is wrong with a path, or with `*` in place of it, if something is.
fn plain_or_all(path: &str) -> Option<String> {
    if path == "*" { None } else { not_plain(path) }
}

/// What is wrong with a path, if something is.
fn not_plain(path: &str) -> Option<String> {
    let Some(rest) = path.strip_prefix('/') else {
        return Some(format!("'{path}' is not an absolute path"));
    };
    let plain = |name: &str| !matches!(name, "" | "." | "..") && !name.contains('\0');
    (!rest.is_empty() && !rest.split('/').all(plain)).then(|| {
        format!("'{path}' is not plain: no '.', no '..', no '//' and no '/' at the end, so that one thing has one name")
    })
}

fn duration(text: &str) -> Option<Duration> {
    let number = text.trim_end_matches(|unit: char| unit.is_ascii_lowercase());
    let seconds = match &text[number.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
}

/// Whether a permit's value covers all that is asked for.
fn covers(value: &Value, ask: Ask<'_>) -> bool {
    match (value, ask) {
        (Value::Any, _) => true,
        (Value::Texts(words), Ask::Words(asked)) => asked.iter().all(|word| words.iter().any(|it| it == word)),
        (Value::Texts(names), Ask::Names(asked)) => asked.iter().all(|name| has_name(names, name)),
        (value, ask) => hits(value, ask),
    }
}

/// Whether a forbid's value speaks of some of what is asked for.
fn touches(value: &Value, ask: Ask<'_>) -> bool {
    match (value, ask) {
        (Value::Any, _) => true,
        (Value::Texts(words), Ask::Words(asked)) => asked.iter().any(|word| words.iter().any(|it| it == word)),
        (Value::Texts(names), Ask::Names(asked)) => asked.iter().any(|name| has_name(names, name)),
        (Value::AtMost(most), Ask::Amount(amount)) => most.is_some_and(|most| amount > most),
        (Value::Flag(_), Ask::Flag(wanted)) => wanted,
        (value, ask) => hits(value, ask),
    }
}

/// Whether a value speaks of the one thing that is asked for.
fn hits(value: &Value, ask: Ask<'_>) -> bool {
    match (value, ask) {
        (Value::Texts(paths), Ask::Path(path)) => has_name(paths, path),
        (Value::Patterns(patterns), Ask::Path(path)) => patterns.iter().any(|it| it == "*" || tree::matches(it, path)),
        (Value::Texts(trees), Ask::Within(found)) => trees.iter().any(|it| found.contains(&it.as_str())),
        (Value::Numbers(numbers), Ask::Number(number)) => numbers.contains(&number),
        (Value::AtMost(most), Ask::Amount(amount)) => most.is_none_or(|most| amount <= most),
        (Value::Flag(given), Ask::Flag(wanted)) => *given || !wanted,
        (Value::Templates(templates), Ask::Arguments(arguments)) => templates.iter().any(|it| fits(it, arguments)),
        // What is asked for does not belong to the key: never allowed by it, never seen by it.
        _ => false,
    }
}

fn has_name(names: &[String], asked: &[u8]) -> bool {
    names.iter().any(|name| name == "*" || name.as_bytes() == asked)
}

fn fits(template: &[String], arguments: &[Vec<u8>]) -> bool {
    let (words, open) = match template.split_last() {
        Some((last, words)) if last == "**" => (words, true),
        _ => (template, false),
    };
    let enough = if open { arguments.len() >= words.len() } else { arguments.len() == words.len() };
    enough && words.iter().zip(arguments).all(|(word, argument)| word == "*" || word.as_bytes() == argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(template: &[&str], arguments: &[&str]) -> bool {
        let template: Vec<_> = template.iter().map(|word| (*word).to_owned()).collect();
        let arguments: Vec<_> = arguments.iter().map(|word| word.as_bytes().to_vec()).collect();
        fits(&template, &arguments)
    }

    #[test]
    fn a_template_is_word_by_word() {
        assert!(fit(&["restart", "*"], &["restart", "nginx"]));
        assert!(!fit(&["restart", "*"], &["restart"]) && !fit(&["restart", "*"], &["restart", "a", "b"]));
        assert!(fit(&["-c", "**"], &["-c"]) && fit(&["-c", "**"], &["-c", "a", "b"]));
        assert!(!fit(&["-c", "**"], &["-d", "a"]) && fit(&[], &[]) && !fit(&[], &["-x"]));
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Some(Duration::from_secs(7200)));
        for wrong in ["", "5", "s", "-1s", "1w", "1.5h", "99999999999999999999d"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn paths_have_one_name() {
        assert_eq!(not_plain("/"), None);
        assert_eq!(not_plain("/var/log"), None);
        for wrong in ["var", "/var/", "/var//log", "/var/../etc", "/./var"] {
            assert!(not_plain(wrong).is_some(), "{wrong}");
        }
    }
}
