//! Reading TOML with the place of everything in it.

use crate::error::{Origin, PolicyError, suggestion};
use std::ops::Range;
use std::rc::Rc;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// A file being read.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) file: &'a Rc<str>,
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
