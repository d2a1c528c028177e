//! What stands in a line, number and chain apart.

use crate::budget::Kind;
use crate::text::quoted;
use std::fmt::Write;

/// A line to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its members behind number and chain.
    pub members: Members,
    /// What people read in the journal.
    pub message: String,
    /// How much it matters, by syslog's numbers: 3 an error, 4 a warning, 6 an information.
    pub priority: u8,
    /// The journal's fields besides those that every line has: names in capitals, and their values in one line.
    pub fields: Vec<(&'static str, String)>,
    /// What it is about, which says how fast such lines may come.
    pub kind: Kind,
    /// What it says, apart from times: of lines that say the same one after the other the first is written, and how many there
    /// were. Nothing for a line that is always written.
    pub like: Option<String>,
}

/// Members of a JSON object, in the order in which they are added, in ASCII.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members(String);

impl Members {
    /// The text, without the braces.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Adds a string.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        self.0 += &quoted(value);
        self
    }

    /// Adds a string, or null.
    pub fn text_or_null(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self.json(name, "null"),
        }
    }

    /// Adds a number.
    pub fn number(&mut self, name: &str, value: u64) -> &mut Self {
        self.name(name);
        // Writing to a string does not fail.
        let _ = write!(self.0, "{value}");
        self
    }

    /// Adds a truth.
    pub fn truth(&mut self, name: &str, value: bool) -> &mut Self {
        self.json(name, if value { "true" } else { "false" })
    }

    /// Adds an object.
    pub fn object(&mut self, name: &str, fill: impl FnOnce(&mut Members)) -> &mut Self {
        let mut inner = Members::default();
        fill(&mut inner);
        self.name(name);
        self.0.push('{');
        self.0 += &inner.0;
        self.0.push('}');
        self
    }

    /// Adds a list of objects.
    pub fn list<T>(&mut self, name: &str, items: impl Iterator<Item = T>, fill: impl Fn(T, &mut Members)) -> &mut Self {
        self.name(name);
        self.0.push('[');
        for (index, item) in items.enumerate() {
            let mut inner = Members::default();
            fill(item, &mut inner);
            self.0 += if index == 0 { "{" } else { ",{" };
            self.0 += &inner.0;
            self.0.push('}');
        }
        self.0.push(']');
        self
    }

    /// Adds a value whose text is JSON of ASCII in one line already.
    pub fn json(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        self.0 += value;
        self
    }

    fn name(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0 += &quoted(name);
        self.0.push(':');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_as_they_were_added() {
        let mut members = Members::default();
        members.text("a", "x\"\n\u{202e}\u{9b}").number("b", u64::MAX).truth("c", false).text_or_null("d", None);
        members
            .object("e", |inner| _ = inner.number("f", 1))
            .list("g", 1..3, |item, inner| _ = inner.number("h", item));
        assert_eq!(
            members.as_str(),
            r#""a":"x\"\n\u202E\u009B","b":18446744073709551615,"c":false,"d":null,"e":{"f":1},"g":[{"h":1},{"h":2}]"#
        );
    }
}
