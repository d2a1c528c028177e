//! Documentation comments.

use crate::Doc;

/// What is said about a whole definition.
pub(super) fn definition(out: &mut String, doc: &Doc) {
    text(out, "", &doc.text);
    if let Some(returns) = &doc.returns {
        *out += "///\n";
        text(out, "", &format!("Returns: {returns}"));
    }
    *out += "///\n";
    text(out, "", &format!("Since: QEMU {}", doc.since));
}

/// A comment of one line or more.
pub(super) fn text(out: &mut String, indent: &str, text: &str) {
    for line in text.lines() {
        *out += format!("{indent}/// {}", code_spans(line)).trim_end();
        out.push('\n');
    }
}

/// `@name` as rustdoc wants it, in backticks.
fn code_spans(line: &str) -> String {
    let mut out = String::new();
    let mut pieces = line.split('@');
    out += pieces.next().unwrap_or_default();
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(piece.len());
        let (name, rest) = piece.split_at(end);
        out += &if name.is_empty() { format!("@{rest}") } else { format!("`{name}`{rest}") };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_code() {
        assert_eq!(code_spans("see @buf-b64, @id"), "see `buf-b64`, `id`");
        assert_eq!(code_spans("a @ b"), "a @ b");
    }

    #[test]
    fn empty_lines_have_no_trailing_space() {
        let mut out = String::new();
        text(&mut out, "    ", "a\n\nb");
        assert_eq!(out, "    /// a\n    ///\n    /// b\n");
    }
}
