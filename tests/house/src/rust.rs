//! Reading Rust source far enough to tell code from what is written about it.

/// The source with comments and the insides of strings and characters blanked out. Lines keep their numbers and bytes
/// their places, so what is found in it can be looked up in the source.
pub(crate) fn code_only(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = at
            + match rest {
                [b'/', b'/', ..] => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
                [b'/', b'*', ..] => block_comment(rest),
                [b'"', ..] => quoted(rest, b'"'),
                [b'r', b'"' | b'#', ..] if !follows_word(bytes, at) => raw_string(rest),
                [b'\'', b'\\', ..] => quoted(rest, b'\''),
                [b'\'', ..] => character(&source[at..]),
                _ => 0,
            };
        for byte in &mut code[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// Where `word` stands in `text` as a whole word, as byte offsets.
pub(crate) fn word_positions<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part_of_word = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| !text[..*at].ends_with(part_of_word) && !text[at + word.len()..].starts_with(part_of_word))
}

/// The names that follow `prefix` in a path: `a` for `super::a::B`, `a` and `b` for `super::{a::B, b}`.
pub(crate) fn names_after<'a>(code: &'a str, prefix: &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            None => names.push(first_word(rest)),
            Some(list) => names.extend(listed(list)),
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The number of the line that holds the byte `at`, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn follows_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() && bytes[at - 1] != b'b' || bytes[at - 1] == b'_')
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `r"..."` or `r#"..."#`; 0 for a raw identifier such as `r#type`.
fn raw_string(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let end = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    let body = &rest[2 + hashes..];
    let length = body.windows(end.len()).position(|window| window == end);
    length.map_or(rest.len(), |length| 2 + hashes + length + end.len())
}

/// `'x'`; 0 for a lifetime.
fn character(rest: &str) -> usize {
    let mut characters = rest.chars().skip(1);
    match (characters.next(), characters.next()) {
        (Some(inside), Some('\'')) => inside.len_utf8() + 2,
        _ => 0,
    }
}

fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|character: char| !character.is_alphanumeric() && character != '_');
    &text[..end.unwrap_or(text.len())]
}

/// The first names of `a, b::{c, d}, e}...`, up to the brace that closes the list.
fn listed(list: &str) -> Vec<&str> {
    let (mut names, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(first_word(&list[start..at]));
                start = at + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        let blank = |source: &str| code_only(source).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(blank("a /* b /* c */ d */ e // f\ng"), "a e g");
        assert_eq!(blank(r#"let s = "unsafe \" still"; x"#), "let s = ; x");
        assert_eq!(blank("r#\"raw \" text\"#; br\"raw\"; r#type; for \"x\""), "; b ; r#type; for");
        assert_eq!(blank(r"fn f<'a>(c: &'a str) -> char { '\'' } 'é' '{'"), "fn f<'a>(c: &'a str) -> char { }");
    }

    #[test]
    fn places_are_kept() {
        let source = "// é\n\"two\nlines\" unsafe";
        let code = code_only(source);
        let at = word_positions(&code, "unsafe").next().expect("it is code");
        assert_eq!(source.find("unsafe"), Some(at));
        assert_eq!(line_of(&code, at), 3);
    }

    #[test]
    fn a_word_is_whole() {
        assert_eq!(word_positions("unsafe_code unsafe, not_unsafe", "unsafe").collect::<Vec<_>>(), [12]);
    }

    #[test]
    fn lists_of_names_are_read() {
        assert_eq!(names_after("use super::{a::{B, C}, d, e::F}; use super::g::H;", "super::"), ["a", "d", "e", "g"]);
        assert_eq!(names_after("use super::*; other::x", "super::"), [""; 0]);
    }
}
