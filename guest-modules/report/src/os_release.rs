//! The file os-release, os-release(5).

use crate::system;

/// The variables that the file sets, the last of each name counting.
///
/// The file is made for shells, but nobody should run it: values are unquoted as a shell would, and nothing in them is
/// replaced. A line that is no assignment, that is not UTF-8 or whose quotes do not end is passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsRelease<'a>(Vec<(&'a str, &'a str)>);

impl<'a> OsRelease<'a> {
    /// The file with this text.
    pub fn new(text: &'a [u8]) -> Self {
        OsRelease(system::lines(text).filter_map(assignment).collect())
    }

    /// The value of a variable, if it is set.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.iter().rev().filter(|(assigned, _)| *assigned == name).find_map(|(_, value)| unquote(value))
    }
}

/// Name and value, as it is quoted, of the variable that the line sets.
fn assignment(line: &[u8]) -> Option<(&str, &str)> {
    let (name, value) = str::from_utf8(line).ok()?.trim().split_once('=')?;
    (!value.contains('\0')).then(|| (name.trim_end(), value.trim_start()))
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

    fn assigned(value: &str) -> Option<String> {
        OsRelease::new(format!("A=1\nX={value}\nB=2\n").as_bytes()).get("X")
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
        let release = OsRelease::new(text);
        assert_eq!(release.get("ID").as_deref(), Some("a"));
        assert_eq!(release.get("last").as_deref(), Some("yes"));
        for lost in ["NAME", "VERSION", "VARIANT", "VARIANT_ID", "X", "no assignment"] {
            assert_eq!(release.get(lost), None, "{lost}");
        }
    }

    #[test]
    fn the_last_value_counts() {
        assert_eq!(OsRelease::new(b"ID=a\nID=b\nID = c\nID=\"open\n").get("ID").as_deref(), Some("c"));
    }

    #[test]
    fn hostile_texts_give_no_more_than_they_hold() {
        for text in hostile(b"ID=a\nNAME=\"B \\\"c\\\"\"\nVERSION='d e'\nVARIANT=\\f\n") {
            let (length, release) = (text.len(), OsRelease::new(&text));
            let values = ["ID", "NAME", "VERSION", "VARIANT"].map(|name| release.get(name).unwrap_or_default().len());
            assert!(values.iter().sum::<usize>() <= length);
        }
    }
}
