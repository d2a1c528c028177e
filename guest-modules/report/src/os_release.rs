//! The file os-release, os-release(5).

use crate::system;

/// The variables that the file sets, the last of each name counting.
///
/// The file is made for shells, but nobody should run it: values are unquoted as a shell would, and nothing in them is
/// replaced. A line that is no assignment, that is not UTF-8 or whose quotes do not end is passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsRelease(Vec<u8>);

impl OsRelease {
    /// The file with this text.
    pub fn new(text: Vec<u8>) -> Self {
        OsRelease(text)
    }

    /// The value of a variable, if it is set.
    pub fn get(&self, name: &str) -> Option<String> {
        system::lines(&self.0).filter_map(|line| value(line, name)).last()
    }
}

/// The value, if it is the variable `name` that the line sets.
fn value(line: &[u8], name: &str) -> Option<String> {
    let line = str::from_utf8(line).ok()?.trim();
    let (assigned, value) = line.split_once('=')?;
    if assigned.trim_end() == name && !value.contains('\0') { unquote(value.trim_start()) } else { None }
}

/// The word that a shell makes of the beginning of `text`: it ends at a space or semicolon outside of quotes. Nothing, if
/// quotes do not end.
fn unquote(text: &str) -> Option<String> {
    let mut word = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | ';' => break,
            '\'' => quoted(&mut characters, &mut word, '\'', "")?,
            // A shell leaves the backslash before an apostrophe; os-release files are written as if it did not.
            '"' => quoted(&mut characters, &mut word, '"', "$'\"\\`")?,
            '\\' => word.extend(characters.next()),
            other => word.push(other),
        }
    }
    Some(word)
}

/// What stands between quotes. A backslash loses its meaning before all but the characters of `escaped`.
fn quoted(characters: &mut std::str::Chars<'_>, word: &mut String, end: char, escaped: &str) -> Option<()> {
    loop {
        match characters.next()? {
            character if character == end => return Some(()),
            '\\' if !escaped.is_empty() => {
                let next = characters.next()?;
                if !escaped.contains(next) {
                    word.push('\\');
                }
                word.push(next);
            }
            other => word.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::hostile;

    fn release(text: &[u8]) -> OsRelease {
        OsRelease::new(text.to_vec())
    }

    fn assigned(value: &str) -> Option<String> {
        release(format!("A=1\nX={value}\nB=2\n").as_bytes()).get("X")
    }

    #[test]
    fn values_are_unquoted_as_by_a_shell() {
        for (value, plain) in [
            ("debian", "debian"),
            ("", ""),
            ("\"Debian GNU/Linux\"", "Debian GNU/Linux"),
            ("'1.0 (Single)'", "1.0 (Single)"),
            ("'it'\\''s'", "it's"),
            ("'a\\nb\"c'", "a\\nb\"c"),
            (r#""a\"b\\c\$d\`e\'f\ng""#, r#"a"b\c$d`e'f\ng"#),
            ("1.0 trailing", "1.0"),
            ("a;b", "a"),
            ("\"a b\" c", "a b"),
            ("a\"b c\"'d e'f", "ab cd ef"),
            (r"a\ b\;c", "a b;c"),
            ("b#c", "b#c"),
            ("$HOME`x`", "$HOME`x`"),
            ("a\tb", "a\tb"),
            (" padded ", "padded"),
            ("cr\r", "cr"),
            ("é", "é"),
            ("a\\", "a"),
        ] {
            assert_eq!(assigned(value).as_deref(), Some(plain), "{value}");
        }
    }

    #[test]
    fn a_broken_line_is_lost_and_no_other() {
        let text = b"ID=a\nno assignment\nNAME=\"open\nVERSION='open\n#VARIANT=no\n # VARIANT=no\nVARIANT_ID=\xFF\nX=\0\nlast=yes";
        let release = release(text);
        assert_eq!(release.get("ID").as_deref(), Some("a"));
        assert_eq!(release.get("last").as_deref(), Some("yes"));
        for lost in ["NAME", "VERSION", "VARIANT", "VARIANT_ID", "X", "no assignment"] {
            assert_eq!(release.get(lost), None, "{lost}");
        }
    }

    #[test]
    fn the_last_value_counts() {
        assert_eq!(release(b"ID=a\nID=b\nID = c\n").get("ID").as_deref(), Some("c"));
    }

    #[test]
    fn hostile_texts_give_no_more_than_they_hold() {
        for text in hostile(b"ID=a\nNAME=\"B \\\"c\\\"\"\nVERSION='d e'\nVARIANT=\\f\n") {
            let (length, release) = (text.len(), OsRelease::new(text));
            let values = ["ID", "NAME", "VERSION", "VARIANT"].map(|name| release.get(name).unwrap_or_default().len());
            assert!(values.iter().sum::<usize>() <= length);
        }
    }
}
