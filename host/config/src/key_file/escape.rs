//! Values as they stand in the file.

use super::ValueProblem;

/// The value that the text behind the `=` stands for.
pub(super) fn unescape(bytes: &[u8]) -> Result<String, ValueProblem> {
    let mut chars = std::str::from_utf8(bytes).map_err(|_| ValueProblem::NotUtf8)?.chars();
    let mut value = String::with_capacity(bytes.len());
    while let Some(c) = chars.next() {
        value.push(match c {
            '\\' => match chars.next() {
                Some('s') => ' ',
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('\\') => '\\',
                Some(other) => return Err(ValueProblem::Escape(other)),
                None => return Err(ValueProblem::LoneBackslash),
            },
            other => other,
        });
    }
    Ok(value)
}

/// The text for a value. Spaces and tabs are escaped only where reading would drop them: at the front.
pub(super) fn escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut at_front = true;
    for c in value.chars() {
        match c {
            ' ' if at_front => text.push_str(r"\s"),
            '\t' if at_front => text.push_str(r"\t"),
            '\n' => text.push_str(r"\n"),
            '\r' => text.push_str(r"\r"),
            '\\' => text.push_str(r"\\"),
            other => text.push(other),
        }
        at_front = at_front && matches!(c, ' ' | '\t' | '\n' | '\r');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(unescape(br"\s\\s \t\n\r;").unwrap(), " \\s \t\n\r;");
        assert_eq!(unescape(br"a\"), Err(ValueProblem::LoneBackslash));
        assert_eq!(unescape(br"a\q"), Err(ValueProblem::Escape('q')));
        assert_eq!(unescape(b"\xff"), Err(ValueProblem::NotUtf8));
    }

    #[test]
    fn spaces_are_escaped_only_at_the_front() {
        assert_eq!(escape(" \t a\tb c\r\n\\ "), r"\s\t\sa	b c\r\n\\ ");
    }
}
