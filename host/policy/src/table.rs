//! Reading TOML with the place of everything in it.

use crate::error::{Origin, PolicyError, suggestion};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// A file being read.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) file: &'a Arc<str>,
    pub(crate) text: &'a str,
}

impl Source<'_> {
    pub(crate) fn origin(&self, span: &Range<usize>) -> Origin {
        Origin::of(self.file, self.text, span.start)
    }

    pub(crate) fn error(&self, span: &Range<usize>, message: impl Into<String>) -> PolicyError {
        PolicyError { origin: self.origin(span), message: message.into() }
    }
}

/// A table whose keys are taken one by one; what is left at the end is unknown.
pub(crate) struct Table<'a> {
    source: Source<'a>,
    span: Range<usize>,
    entries: Vec<(&'a str, Range<usize>, &'a Spanned<DeValue<'a>>)>,
    /// The keys that were asked for, for suggestions.
    known: Vec<&'static str>,
}

impl<'a> Table<'a> {
    pub(crate) fn new(source: Source<'a>, span: Range<usize>, table: &'a DeTable<'a>) -> Self {
        let entries = table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value)).collect();
        Table { source, span, entries, known: Vec::new() }
    }

    /// Where the table begins.
    pub(crate) fn origin(&self) -> Origin {
        self.source.origin(&self.span)
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> PolicyError {
        self.source.error(&self.span, message)
    }

    /// Takes a key out.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Item<'a>> {
        self.known.push(name);
        let index = self.entries.iter().position(|(key, ..)| *key == name)?;
        let (_, _, value) = self.entries.swap_remove(index);
        Some(Item { source: self.source, name, value })
    }

    /// Takes a key out that must be there.
    pub(crate) fn required(&mut self, name: &'static str) -> Result<Item<'a>, PolicyError> {
        self.take(name).ok_or_else(|| self.error(format!("the key '{name}' is missing")))
    }

    /// Refuses what was not taken.
    pub(crate) fn finish(self) -> Result<(), PolicyError> {
        let Some((name, span, _)) = self.entries.iter().min_by_key(|(_, span, _)| span.start) else { return Ok(()) };
        let meant = suggestion(name, self.known.iter().copied());
        Err(self.source.error(span, format!("unknown key '{name}'{meant}")))
    }
}

/// The value of a key, or an element of it.
pub(crate) struct Item<'a> {
    source: Source<'a>,
    name: &'static str,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Item<'a> {
    pub(crate) fn error(&self, message: impl Into<String>) -> PolicyError {
        self.source.error(&self.value.span(), message)
    }

    pub(crate) fn origin(&self) -> Origin {
        self.source.origin(&self.value.span())
    }

    fn wrong(&self, expected: &str) -> PolicyError {
        self.error(format!("'{}' must be {expected}, not {}", self.name, self.value.get_ref().type_str()))
    }

    pub(crate) fn text(&self) -> Result<&'a str, PolicyError> {
        self.value.get_ref().as_str().ok_or_else(|| self.wrong("a text"))
    }

    pub(crate) fn flag(&self) -> Result<bool, PolicyError> {
        self.value.get_ref().as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    pub(crate) fn number(&self) -> Result<i64, PolicyError> {
        let number = self.value.get_ref().as_integer();
        let parsed = number.and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
        parsed.ok_or_else(|| self.wrong("a number"))
    }

    /// A number that is neither less than `least` nor more than `most`.
    pub(crate) fn between(&self, least: i64, most: i64) -> Result<i64, PolicyError> {
        match self.number()? {
            number if (least..=most).contains(&number) => Ok(number),
            number => Err(self.error(format!("'{}' is {least} to {most}, not {number}", self.name))),
        }
    }

    /// A size in bytes.
    pub(crate) fn size(&self) -> Result<u64, PolicyError> {
        let wrong = || self.error("a size is a number and B, KiB, MiB or GiB, such as \"10MiB\", and not 0");
        size(self.text()?).filter(|bytes| *bytes > 0).ok_or_else(wrong)
    }

    /// A duration that is not 0.
    pub(crate) fn time(&self) -> Result<Duration, PolicyError> {
        let wrong = || self.error("a duration is a number and s, m, h or d, such as \"30s\", and not 0");
        duration(self.text()?).filter(|time| !time.is_zero()).ok_or_else(wrong)
    }

    pub(crate) fn list(&self) -> Result<Vec<Item<'a>>, PolicyError> {
        let array: &DeArray<'a> = self.value.get_ref().as_array().ok_or_else(|| self.wrong("a list"))?;
        Ok(array.iter().map(|value| Item { source: self.source, name: self.name, value }).collect())
    }

    /// A list of texts with at least one in it.
    pub(crate) fn texts(&self) -> Result<Vec<(&'a str, Item<'a>)>, PolicyError> {
        let list = self.list()?;
        if list.is_empty() {
            return Err(self.error(format!("'{}' is empty: it would mean nothing", self.name)));
        }
        list.into_iter().map(|item| Ok((item.text()?, item))).collect()
    }

    pub(crate) fn table(&self) -> Result<Table<'a>, PolicyError> {
        let table = self.value.get_ref().as_table().ok_or_else(|| self.wrong("a table"))?;
        Ok(Table::new(self.source, self.value.span(), table))
    }

    pub(crate) fn is_text(&self, text: &str) -> bool {
        self.value.get_ref().as_str() == Some(text)
    }
}

pub(crate) fn duration(text: &str) -> Option<Duration> {
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

fn size(text: &str) -> Option<u64> {
    let number = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let bytes = match &text[number.len()..] {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Some(Duration::from_secs(7200)));
        for wrong in ["", "5", "s", "-1s", "1w", "1.5h", "99999999999999999999d"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!(size("512KiB"), Some(512 * 1024));
        assert_eq!(size("1B"), Some(1));
        for wrong in ["", "5", "MiB", "-1B", "1MB", "1.5GiB", "99999999999GiB"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }
}
