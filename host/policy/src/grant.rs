//! Rules about what modules may do.

use crate::command::LONGEST_PACE;
use crate::error::{Origin, PolicyError, suggestion};
use crate::matching::{covers, touches};
use crate::names::module_fault;
use crate::shape::{self, Key, Kind, Shape};
use crate::table::{Item, Table, duration};
use std::time::Duration;

/// A rule about what modules may do with a capability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whether it permits or forbids.
    pub effect: Effect,
    /// The capability, and what can be said of it.
    pub shape: &'static Shape,
    /// The modules meant. A permit names them; a forbid that names none means all.
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
    /// Of [`Kind::Words`], [`Kind::Names`], [`Kind::FileNames`], [`Kind::Paths`] and [`Kind::Trees`].
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
    /// Of [`Kind::Size`], in bytes.
    Size(u64),
    /// Of [`Kind::Time`].
    Time(Duration),
    /// Of [`Kind::Rate`].
    Rate(Rate),
    /// Of [`Kind::User`].
    User(String),
}

/// So many bytes in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Bytes, at least 1.
    pub bytes: u64,
    /// The time, a second to an hour.
    pub within: Duration,
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
    /// One thing that may have several names, for [`Kind::Names`] and [`Kind::Paths`].
    Thing {
        /// What it is called.
        name: &'a [u8],
        /// The names in the policy's forbids that are this very thing too. Only a forbid heeds them.
        also: &'a [&'a str],
    },
    /// The file of this name, for [`Kind::FileNames`].
    File {
        /// Its own name.
        name: &'a [u8],
        /// Whether it may have others too, which nobody knows. Only a forbid heeds it.
        has_others: bool,
    },
    /// An object and where it lies, of the trees that the policy names, for [`Kind::Trees`].
    Within {
        /// It lies in these.
        surely: &'a [&'a str],
        /// It might lie in these too: of a file with several names only one is known. Only a forbid heeds them.
        perhaps: &'a [&'a str],
        /// Its own path without links, for the permit that would allow it.
        path: &'a [u8],
    },
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
        let named = match (table.take("modules"), effect) {
            (Some(item), _) => known(&item, modules)?,
            (None, Effect::Forbid) => Vec::new(),
            (None, Effect::Permit) => {
                return Err(table.error("a permit needs the key 'modules': who gets the capability"));
            }
        };
        let mut values = Vec::new();
        for key in shape.keys {
            match table.take(key.name) {
                Some(item) if key.kind.is_setting() && effect == Effect::Forbid => {
                    return Err(item.error(format!("'{}' says how something is done: only a permit can", key.name)));
                }
                Some(item) => values.push((key, value(key, effect, &item)?)),
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

    /// A setting in bytes.
    pub fn size(&self, name: &str) -> Option<u64> {
        match self.value(name) {
            Some(Value::Size(bytes)) => Some(*bytes),
            _ => None,
        }
    }

    /// A setting in time.
    pub fn time(&self, name: &str) -> Option<Duration> {
        match self.value(name) {
            Some(Value::Time(time)) => Some(*time),
            _ => None,
        }
    }

    /// A setting in bytes and time.
    pub fn rate(&self, name: &str) -> Option<Rate> {
        match self.value(name) {
            Some(Value::Rate(rate)) => Some(*rate),
            _ => None,
        }
    }

    /// A setting that names a user.
    pub fn user(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Some(Value::User(user)) => Some(user),
            _ => None,
        }
    }

    /// How wide its settings are, setting by setting. Of several permits for one use the widest counts, and of these the first
    /// setting that differs; settings of two are never mixed, so that each can be read by itself.
    pub(crate) fn width(&self) -> Vec<(u128, u64, &str)> {
        let width = |key: &Key| match self.value(key.name) {
            None => (u128::MAX, 0, ""),
            Some(Value::Size(bytes)) => ((*bytes).into(), 0, ""),
            Some(Value::Time(time)) => (time.as_secs().into(), 0, ""),
            // Scaled, for the quotient of different rates must differ; of equal ones the one that allows more at once.
            Some(Value::Rate(rate)) => {
                ((u128::from(rate.bytes) << 32) / u128::from(rate.within.as_secs().max(1)), rate.bytes, "")
            }
            Some(Value::User(user)) => (0, 0, user.as_str()),
            Some(_) => (0, 0, ""),
        };
        self.shape.keys.iter().filter(|key| key.kind.is_setting()).map(width).collect()
    }

    /// Whether it speaks of this module and capability.
    pub(crate) fn concerns(&self, module: &str, capability: &str) -> bool {
        self.shape.capability == capability && (self.modules.is_empty() || self.modules.iter().any(|it| it == module))
    }

    /// Whether a permit of it has this word among its words.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        self.values.iter().any(|(key, value)| match (key.kind, value) {
            (Kind::Words(_), Value::Texts(words)) => words.iter().any(|it| it == word),
            _ => false,
        })
    }

    /// Whether a forbid leaves nothing of its capability, or nothing that has this word.
    pub(crate) fn forbids_all(&self, word: Option<&str>) -> bool {
        let only_words = || self.values.iter().all(|(key, _)| matches!(key.kind, Kind::Words(_)));
        self.values.is_empty() || word.is_some_and(|word| only_words() && self.has_word(word))
    }

    /// Whether a permit covers whatever can be asked for.
    pub(crate) fn covers_all(&self) -> bool {
        self.effect == Effect::Permit
            && self.shape.keys.iter().all(|key| match (key.kind, self.value(key.name)) {
                (Kind::Words(all), Some(Value::Texts(words))) => {
                    all.iter().all(|word| words.iter().any(|it| it == word))
                }
                (Kind::Names | Kind::FileNames | Kind::Paths, Some(Value::Texts(names))) => {
                    names.iter().any(|name| name == "*")
                }
                (Kind::Patterns, Some(Value::Patterns(patterns))) => patterns.iter().any(|pattern| pattern == "*"),
                (Kind::Trees, Some(Value::Texts(trees))) => trees.iter().any(|tree| tree == "/"),
                (_, Some(value)) => matches!(value, Value::Any | Value::AtMost(None) | Value::Flag(true)),
                // Without it a flag is false; what else may be left out means everything.
                (kind, None) => kind != Kind::Flag,
            })
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

/// Reads the names of modules, built in or of vendors.
pub(crate) fn known(item: &Item<'_>, modules: &[&str]) -> Result<Vec<String>, PolicyError> {
    let check = |(name, item): (&str, Item<'_>)| match module_fault(name, modules) {
        None => Ok(name.to_owned()),
        Some(fault) => Err(item.error(fault)),
    };
    item.texts()?.into_iter().map(check).collect()
}

fn value(key: &Key, effect: Effect, item: &Item<'_>) -> Result<Value, PolicyError> {
    let texts = |check: &dyn Fn(&str) -> Option<String>| {
        let one = |(text, item): (&str, Item<'_>)| match check(text) {
            Some(fault) => Err(item.error(fault)),
            None => Ok(text.to_owned()),
        };
        item.texts()?.into_iter().map(one).collect::<Result<_, _>>().map(Value::Texts)
    };
    match key.kind {
        Kind::Words(words) => texts(&|text| {
            let unknown =
                || format!("'{text}' is not one of {}{}", words.join(", "), suggestion(text, words.iter().copied()));
            (!words.contains(&text)).then(unknown)
        }),
        // Where no key means any name, a permit needs a way to say none.
        Kind::Names if !key.required && effect == Effect::Permit && item.list()?.is_empty() => {
            Ok(Value::Texts(Vec::new()))
        }
        Kind::Names => texts(&|text| text.is_empty().then(|| "a name is not empty".to_owned())),
        Kind::FileNames => texts(&|text| {
            let is_name = !matches!(text, "" | "." | "..") && !text.contains(['/', '\0']);
            (!is_name).then(|| format!("'{text}' is not the name of a file: folders are for 'trees'"))
        }),
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
        Kind::Size => item.size().map(Value::Size),
        Kind::Time => item.time().map(Value::Time),
        Kind::Rate => rate(item.table()?).map(Value::Rate),
        Kind::User => match item.text()? {
            "" => Err(item.error("a name is not empty")),
            name => Ok(Value::User(name.to_owned())),
        },
    }
}

fn rate(mut table: Table<'_>) -> Result<Rate, PolicyError> {
    let bytes = table.required("bytes")?.size()?;
    let seconds = table.required("seconds")?.between(1, LONGEST_PACE)?;
    table.finish()?;
    Ok(Rate { bytes, within: Duration::from_secs(seconds.unsigned_abs()) })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_name() {
        assert_eq!(not_plain("/"), None);
        assert_eq!(not_plain("/var/log"), None);
        for wrong in ["var", "/var/", "/var//log", "/var/../etc", "/./var"] {
            assert!(not_plain(wrong).is_some(), "{wrong}");
        }
    }
}
