//! Reads JSON, and the dialect of it in which schemas are written.

use crate::error::Fault;
use crate::value::{Entry, Node, Value};

mod token;

/// Which of the two languages a text is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// RFC 8259, strictly.
    Json,
    /// QAPI's: strings stand in single quotes and know no escapes, `#` starts a comment, there are no numbers and no
    /// null.
    Schema,
}

/// Lists and objects within each other. Reading is recursive, so the stack must be bounded; a guest agent's replies are
/// four levels deep.
const MAX_DEPTH: usize = 64;

/// A text being read.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str, dialect: Dialect) -> Self {
        Self { text, at: 0, dialect }
    }

    /// The one value that a whole text is.
    pub(crate) fn document(mut self) -> Result<Node, Fault> {
        let node = self.value()?;
        self.skip_blank();
        if self.rest().is_empty() { Ok(node) } else { Err(self.unexpected("nothing more")) }
    }

    /// The next value.
    pub(crate) fn value(&mut self) -> Result<Node, Fault> {
        self.nested_value(0)
    }

    /// What is not read yet.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Byte offset of what is not read yet.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Takes the rest of the line, without its newline.
    pub(crate) fn line(&mut self) -> &'a str {
        let line = self.rest().split('\n').next().unwrap_or_default();
        self.at = (self.at + line.len() + 1).min(self.text.len());
        line
    }

    /// Skips white space, but no comments.
    pub(crate) fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    fn skip_blank(&mut self) {
        self.skip_space();
        while self.dialect == Dialect::Schema && self.rest().starts_with('#') {
            self.line();
            self.skip_space();
        }
    }

    fn nested_value(&mut self, depth: usize) -> Result<Node, Fault> {
        self.skip_blank();
        let at = self.at;
        if depth > MAX_DEPTH {
            return Err(Fault::new(at, format!("nested more than {MAX_DEPTH} levels deep")));
        }
        let value = match self.rest().chars().next() {
            Some('{') => Value::Object(self.object(depth)?),
            Some('[') => Value::List(self.list(depth)?),
            Some(quote) if quote == self.quote() => Value::Str(self.string()?),
            Some('t') if self.took("true") => Value::Bool(true),
            Some('f') if self.took("false") => Value::Bool(false),
            Some('n') if self.dialect == Dialect::Json && self.took("null") => Value::Null,
            Some('-' | '0'..='9') if self.dialect == Dialect::Json => self.number()?,
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Node { at, value })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Fault> {
        let mut nodes = Vec::new();
        self.items(']', |reader| {
            nodes.push(reader.nested_value(depth + 1)?);
            Ok(())
        })?;
        Ok(nodes)
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Entry>, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        self.items('}', |reader| {
            let at = reader.at;
            if !reader.rest().starts_with(reader.quote()) {
                return Err(reader.unexpected("a member's name in quotes"));
            }
            let name = reader.string()?;
            if entries.iter().any(|entry| entry.name == name) {
                return Err(Fault::new(at, format!("'{name}' stands here twice")));
            }
            reader.skip_blank();
            if !reader.took(":") {
                return Err(reader.unexpected("':'"));
            }
            let node = reader.nested_value(depth + 1)?;
            entries.push(Entry { at, name, node });
            Ok(())
        })?;
        Ok(entries)
    }

    /// What stands between an opening bracket, which is next, and `close`, with commas between the items.
    fn items(&mut self, close: char, mut item: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.at += 1;
        self.skip_blank();
        if self.took(close.encode_utf8(&mut [0; 4])) {
            return Ok(());
        }
        loop {
            self.skip_blank();
            item(self)?;
            self.skip_blank();
            if self.took(close.encode_utf8(&mut [0; 4])) {
                return Ok(());
            }
            if !self.took(",") {
                return Err(self.unexpected(&format!("',' or '{close}'")));
            }
        }
    }

    /// Takes `word` if it is next.
    fn took(&mut self, word: &str) -> bool {
        let is_next = self.rest().starts_with(word);
        if is_next {
            self.at += word.len();
        }
        is_next
    }

    fn unexpected(&self, expected: &str) -> Fault {
        let found = self.rest().chars().next().map_or("the end".to_owned(), |c| format!("'{}'", c.escape_default()));
        Fault::new(self.at, format!("expected {expected}, found {found}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<Value, Fault> {
        Reader::new(text, Dialect::Json).document().map(|node| node.value)
    }

    fn fault(text: &str, dialect: Dialect) -> (usize, String) {
        let fault = Reader::new(text, dialect).document().unwrap_err();
        (fault.at, fault.message)
    }

    #[test]
    fn schema_dialect_has_single_quotes_and_comments() {
        let node = Reader::new("{ # why\n 'a': [ 'b', true ] }", Dialect::Schema).document().unwrap();
        let Value::Object(entries) = node.value else { panic!("not an object") };
        assert_eq!((entries[0].name.as_str(), entries[0].at), ("a", 9));
        assert_eq!(entries[0].node.value.kind(), "list");
        assert!(Reader::new("[ 1 ]", Dialect::Schema).document().is_err());
        assert!(Reader::new("[ \"a\" ]", Dialect::Schema).document().is_err());
        assert!(Reader::new("[ null ]", Dialect::Schema).document().is_err());
    }

    #[test]
    fn json_is_strict() {
        assert_eq!(json(" {} "), Ok(Value::Object(vec![])));
        for bad in ["", "{'a': 1}", "[1,]", "{\"a\":1,}", "[1 2]", "{\"a\" 1}", "nul", "1 2", "# x\n1", "[", "{\"a\":1"]
        {
            assert!(json(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn errors_say_what_was_expected_and_where() {
        let (at, message) = fault("{ 'a': 'b' 'c': 'd' }", Dialect::Schema);
        assert_eq!((at, message.as_str()), (11, "expected ',' or '}', found '\\''"));
        assert_eq!(fault("[", Dialect::Json).1, "expected a value, found the end");
        assert_eq!(fault("{\"a\":1, \"a\":2}", Dialect::Json), (8, "'a' stands here twice".to_owned()));
    }

    #[test]
    fn depth_is_bounded() {
        assert!(json(&"[".repeat(100_000)).is_err());
        assert!(json(&format!("{}{}", "[".repeat(64), "]".repeat(64))).is_ok());
    }
}
