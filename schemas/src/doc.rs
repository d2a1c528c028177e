//! The comment that stands before each definition.

use crate::error::Fault;

/// What is said about a definition as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doc {
    /// What it is or does. `@name` in it means the member of that name.
    pub text: String,
    /// What a command's return means.
    pub returns: Option<String>,
    /// The version of QEMU that had it first.
    pub since: String,
}

/// A comment as it was found, its members not yet matched with those of the definition.
#[derive(Debug)]
pub(crate) struct Comment {
    /// Byte offset of its first line.
    pub(crate) at: usize,
    /// The definition it says it is about.
    pub(crate) symbol: String,
    pub(crate) doc: Doc,
    members: Vec<Section>,
}

/// A tag and the text that belongs to it.
#[derive(Debug)]
struct Section {
    at: usize,
    tag: String,
    text: String,
}

impl Comment {
    /// Reads the lines between two `##`, each with its byte offset and its leading `#`.
    ///
    /// As in QAPI, `@member:`, `Returns:` and `Since:` at the start of a line open a section, and what belongs to a
    /// section beyond that line is indented by four spaces.
    pub(crate) fn parse(at: usize, lines: &[(usize, &str)]) -> Result<Self, Fault> {
        let mut sections: Vec<Section> = Vec::new();
        for &(at, line) in lines {
            let line = line.trim_end();
            let text = match line.strip_prefix('#') {
                Some("") => "",
                Some(text) => text.strip_prefix(' ').ok_or_else(|| Fault::new(at, "expected a space after '#'"))?,
                None => return Err(Fault::new(at, "expected '#' or the closing '##'")),
            };
            if let Some((tag, text)) = section_start(text, sections.is_empty()) {
                if sections.iter().any(|section| section.tag == tag) {
                    return Err(Fault::new(at, format!("'{tag}:' stands in this comment twice")));
                }
                sections.push(Section { at, tag: tag.to_owned(), text: text.to_owned() });
                continue;
            }
            let is_body = sections.len() == 1;
            let Some(section) = sections.last_mut() else {
                return Err(Fault::new(at, "expected '@NAME:', the name of the definition that follows"));
            };
            let text = if is_body || text.is_empty() {
                text
            } else {
                text.strip_prefix("    ").ok_or_else(|| {
                    Fault::new(at, format!("expected four spaces before what belongs to '{}:'", section.tag))
                })?
            };
            section.text.push('\n');
            section.text.push_str(text);
        }
        Self::from_sections(at, sections)
    }

    /// What is said about a member of the definition at `at`.
    pub(crate) fn take_member(&mut self, at: usize, name: &str) -> Result<String, Fault> {
        let index = self.members.iter().position(|section| section.tag[1..] == *name);
        let section = index.map(|index| self.members.remove(index));
        section.map(|section| section.text).ok_or_else(|| Fault::new(at, format!("'@{name}:' is not documented")))
    }

    /// To be called when all members were taken: nothing may be left.
    pub(crate) fn finish(self) -> Result<Doc, Fault> {
        match self.members.into_iter().next() {
            Some(section) => Err(Fault::new(section.at, format!("'{}:' documents what is not there", section.tag))),
            None => Ok(self.doc),
        }
    }

    fn from_sections(at: usize, sections: Vec<Section>) -> Result<Self, Fault> {
        let mut members = Vec::new();
        let (mut body, mut returns, mut since) = (None, None, None);
        for mut section in sections {
            section.text = section.text.trim().to_owned();
            if section.text.is_empty() {
                return Err(Fault::new(section.at, format!("'{}:' says nothing", section.tag)));
            }
            match section.tag.as_str() {
                "Returns" => returns = Some(section.text),
                "Since" => since = Some(section.text),
                _ if body.is_none() => body = Some((section.tag[1..].to_owned(), section.text)),
                _ => members.push(section),
            }
        }
        let (symbol, text) = body.ok_or_else(|| Fault::new(at, "an empty comment"))?;
        let since = since.ok_or_else(|| Fault::new(at, format!("'Since:' is missing from the comment on {symbol}")))?;
        Ok(Self { at, symbol, doc: Doc { text, returns, since }, members })
    }
}

/// The tag and the text behind it, if the line opens a section. The first section can only be the definition's.
fn section_start(line: &str, is_first: bool) -> Option<(&str, &str)> {
    let (tag, text) = line.split_once(':')?;
    let is_name = |name: &str| !name.is_empty() && !name.contains(char::is_whitespace);
    let is_tag = (matches!(tag, "Returns" | "Since") && !is_first) || tag.strip_prefix('@').is_some_and(is_name);
    is_tag.then_some((tag, text.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Comment, String> {
        let lines: Vec<_> = text.lines().enumerate().collect();
        Comment::parse(0, &lines).map_err(|fault| format!("{}: {}", fault.at, fault.message))
    }

    #[test]
    fn sections_are_told_apart() {
        let text = "# @guest-x:\n#\n# Does it.\n# @id is kept.\n#\n#    indented\n#\n\
                    # @id: a\n#     number\n#\n#     more\n#\n# Returns: @id\n#\n# Since: 1.1";
        let mut comment = parse(text).unwrap();
        assert_eq!(comment.symbol, "guest-x");
        assert_eq!(comment.take_member(7, "id"), Ok("a\nnumber\n\nmore".to_owned()));
        let doc = comment.finish().unwrap();
        assert_eq!(doc.text, "Does it.\n@id is kept.\n\n   indented");
        assert_eq!((doc.returns.as_deref(), doc.since.as_str()), (Some("@id"), "1.1"));
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let cases = [
            ("", "0: an empty comment"),
            ("# Does it.", "0: expected '@NAME:', the name of the definition that follows"),
            ("# Since: 1\n# @x: text", "0: expected '@NAME:', the name of the definition that follows"),
            ("# @x:\n#\n# Since: 1", "0: '@x:' says nothing"),
            ("# @x: text", "0: 'Since:' is missing from the comment on x"),
            ("# @x: text\n# @a: b\n# c\n# Since: 1", "2: expected four spaces before what belongs to '@a:'"),
            ("# @x: text\n# @a: b\n# @a: c\n# Since: 1", "2: '@a:' stands in this comment twice"),
            ("# @x: text\n#Since: 1", "1: expected a space after '#'"),
            ("# @x: text\nSince: 1", "1: expected '#' or the closing '##'"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap_err(), expected);
        }
    }

    #[test]
    fn members_must_match() {
        let mut comment = parse("# @x: text\n# @a: b\n# Since: 1").unwrap();
        assert_eq!(comment.take_member(9, "c").unwrap_err(), Fault::new(9, "'@c:' is not documented"));
        assert_eq!(comment.finish().unwrap_err(), Fault::new(1, "'@a:' documents what is not there"));
    }
}
