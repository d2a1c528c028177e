//! The text of a file of keys: lines of bytes. What a key is, nobody here needs to know; sshd(8) passes over lines that
//! it does not understand.
//!
//! What is compared is what is shown: a line as sshd(8) reads it, without white space before it and behind it, a carriage return
//! of other systems included, and as the text that a client gets of it. So what is listed can be removed.

use bulkhead_module::CommandError;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Refuses what is no line of its own: a line feed would begin another, `#` makes a comment, and what is behind a NUL
/// sshd(8) does not see.
pub fn check(keys: &[String]) -> Result<(), CommandError> {
    match keys.iter().find(|key| key.starts_with('#') || key.contains(['\n', '\0'])) {
        Some(key) => Err(CommandError::generic(format!("invalid OpenSSH public key: '{key}'"))),
        None => Ok(()),
    }
}

/// The keys, the last line first, as in qemu-ga.
pub fn listed(text: &[u8]) -> Vec<String> {
    let keys = text.rsplit(|byte| *byte == b'\n').map(shown);
    keys.filter(|key| !key.is_empty() && !key.starts_with('#')).map(Cow::into_owned).collect()
}

/// What a client sees of a line.
fn shown(line: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(line.trim_ascii())
}

/// The text with those keys behind it that are no line of it yet. Its own lines stay as they are, and since the end of
/// the text is one, a text that ends with a line feed gets an empty line before the first new key.
pub fn with(text: &[u8], keys: &[String]) -> Vec<u8> {
    let mut missing: BTreeSet<&str> = keys.iter().map(|key| trimmed(key)).collect();
    for line in lines(text) {
        missing.remove(shown(line).as_ref());
    }
    let new = keys.iter().filter(|key| missing.remove(trimmed(key)));
    join(lines(text).chain(new.map(String::as_bytes)))
}

/// The text without the lines that are one of the keys.
pub fn without(text: &[u8], keys: &[String]) -> Vec<u8> {
    let unwanted: BTreeSet<&str> = keys.iter().map(|key| trimmed(key)).collect();
    join(lines(text).filter(|line| !unwanted.contains(shown(line).as_ref())))
}

/// A key as it would be shown as a line.
fn trimmed(key: &str) -> &str {
    key.trim_ascii()
}

/// What is between the line feeds. An empty text has no line.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = (!text.is_empty()).then(|| text.split(|byte| *byte == b'\n'));
    lines.into_iter().flatten()
}

/// Lines as a text. They are not collected first: a file of nothing but line feeds would need many times its length.
fn join<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut text = Vec::new();
    for (index, line) in lines.enumerate() {
        if index > 0 {
            text.push(b'\n');
        }
        text.extend_from_slice(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[track_caller]
    fn added(text: &str, keys: &[&str], expected: &str) {
        let after = with(text.as_bytes(), &owned(keys));
        assert_eq!(String::from_utf8(after).unwrap(), expected);
    }

    #[track_caller]
    fn removed(text: &str, keys: &[&str], expected: &str) {
        let after = without(text.as_bytes(), &owned(keys));
        assert_eq!(String::from_utf8(after).unwrap(), expected);
    }

    #[test]
    fn comments_and_empty_lines_are_not_listed() {
        let listed = |text: &[u8]| listed(text);
        assert_eq!(listed(b"# c\n\n  ssh-rsa PAD p  \nssh-rsa OLD o\n"), ["ssh-rsa OLD o", "ssh-rsa PAD p"]);
        assert_eq!(listed(b" \t# c\n\tkey\x0B\x0C\r\n \nlast"), ["last", "key\x0B"], "trimmed as C trims, but for VT");
        assert_eq!(listed(b"a\xFFb\n\xC2\xA0\0"), ["\u{A0}\0", "a\u{FFFD}b"]);
        assert_eq!(listed(b""), [""; 0]);
    }

    #[test]
    fn keys_are_added_once_and_behind_what_is_there() {
        added("", &["a", "b"], "a\nb");
        added("a\nb", &["b", "c", "c"], "a\nb\nc");
        added("# c\n\n  pad  \nold\n", &["new"], "# c\n\n  pad  \nold\n\nnew");
    }

    #[test]
    fn white_space_around_it_makes_no_other_key() {
        added("a", &["A", " a", "a "], "a\nA");
        added("a\r\n", &["a", "b\r"], "a\r\n\nb\r");
        added(" \ta \n", &["a"], " \ta \n");
        added("", &["a", "a\r", "\ta"], "a");
        for line in ["a", "a ", "a\r", "\ta \r", " a"] {
            for key in ["a", " a", "a\r"] {
                removed(&format!("b \n{line}\nc\r\n"), &[key], "b \nc\r\n");
            }
        }
        removed("a b\na  b\n", &["a b"], "a  b\n");
    }

    #[test]
    fn what_is_listed_can_be_removed() {
        let text =
            b"# mine\nssh-rsa A a@win\r\n \tssh-rsa B \nssh-rsa C b\xFFe\nssh-rsa D b\xFEe\n\n  # his\r\nssh-rsa E";
        let keys = listed(text);
        assert_eq!(keys.len(), 5);
        assert_eq!(without(text, &keys), b"# mine\n\n  # his\r");
        assert_eq!(with(text, &keys), text, "nor are they added again");
        for (index, key) in keys.iter().enumerate() {
            let left = listed(&without(text, std::slice::from_ref(key)));
            assert!(!left.contains(key), "{index}");
        }
    }

    /// Clients send a file's lines, of which the last is often empty.
    #[test]
    fn an_empty_key_is_an_empty_line() {
        added("", &[""], "");
        added("", &["", "b"], "\nb");
        added("", &["a", "a", ""], "a\n");
        added("b\nc", &[""], "b\nc\n");
        added("a\n", &["", "b"], "a\n\nb");
        removed("a\n\nb", &[""], "a\nb");
    }

    #[test]
    fn only_whole_lines_are_removed() {
        removed("a\nb\na", &["a", "x"], "b");
        removed("a", &["a"], "");
        removed("# c\n\n  pad  \nold\n\nnew", &["old", "pad", "# d"], "# c\n\n\nnew");
        removed("aa\na a\n", &["a"], "aa\na a\n");
        removed("a\nb", &[], "a\nb");
    }

    #[test]
    fn what_is_no_text_stays_as_it_is() {
        assert_eq!(with(b"a\xFF\n\0b\n", &owned(&["é"])), b"a\xFF\n\0b\n\n\xC3\xA9");
        assert_eq!(without(b"a\xFF\nx\n\0b", &owned(&["x"])), b"a\xFF\n\0b");
    }

    #[test]
    fn a_key_is_one_line_and_no_comment() {
        for wrong in ["# hi", "#", "a\nb", "a\n", "a\0b"] {
            let desc = check(&owned(&["fine", wrong, "#later"])).unwrap_err().desc;
            assert_eq!(desc, format!("invalid OpenSSH public key: '{wrong}'"));
        }
        assert_eq!(check(&owned(&["", " # hi", "a\rb", "a#b", "no-pty,command=\"x\" ssh-rsa AAAA é"])), Ok(()));
    }
}
