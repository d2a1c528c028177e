//! The lines of a key file.

use super::{KeyFile, KeyFileError, escape::unescape};

impl KeyFile {
    /// Reads a key file. Any line that is neither blank, comment, group nor pair is an error that names the line.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, KeyFileError> {
        let mut file = KeyFile::default();
        let mut group = None;
        for (index, bytes) in text.as_ref().split(|&byte| byte == b'\n').enumerate() {
            let line = index + 1;
            let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes).trim_ascii_start();
            if bytes.is_empty() || bytes[0] == b'#' {
                continue;
            }
            // Lossy: a name that is not UTF-8 is none that anybody asks for.
            let text = String::from_utf8_lossy(bytes);
            if let Some(name) = text.trim_ascii_end().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                if !is_group_name(name) {
                    return Err(KeyFileError::Group { line, name: name.to_owned() });
                }
                group = Some(file.group_index(name));
                continue;
            }
            let Some(equals) = bytes.iter().position(|&byte| byte == b'=').filter(|&at| at > 0) else {
                return Err(KeyFileError::NotAnEntry { line, text: text.into_owned() });
            };
            let group = group.ok_or(KeyFileError::NoGroup { line })?;
            let key = String::from_utf8_lossy(bytes[..equals].trim_ascii_end());
            if !is_key_name(&key) {
                return Err(KeyFileError::Key { line, key: key.into_owned() });
            }
            file.groups[group].put(&key, unescape(bytes[equals + 1..].trim_ascii_start()), line);
        }
        Ok(file)
    }
}

fn is_group_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == '[' || c == ']' || c.is_control())
}

/// A key, or the `key[locale]` of a translated value, which is a key of its own to us.
fn is_key_name(name: &str) -> bool {
    match name.split_once('[') {
        None => !name.contains(']'),
        Some((key, locale)) => {
            let of_locale = |c: char| c.is_alphanumeric() || "-_.@".contains(c);
            !key.is_empty() && !key.ends_with(' ') && locale.strip_suffix(']').is_some_and(|l| l.chars().all(of_locale))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &[u8]) -> Result<Option<String>, KeyFileError> {
        Ok(KeyFile::parse(text)?.get("general", "path")?.map(str::to_owned))
    }

    #[test]
    fn white_space_counts_only_behind_a_value() {
        assert_eq!(value(b"  [general] \t\n\t path  =  \t /x  \n"), Ok(Some("/x  ".to_owned())));
        assert_eq!(value(b"[general]\r\npath=/x\r\n"), Ok(Some("/x".to_owned())));
        assert_eq!(value(b"[general]\npath="), Ok(Some(String::new())));
        assert_eq!(value(b"# f\xfcr\n[general]\npath=/x\n"), Ok(Some("/x".to_owned())), "a comment in Latin-1");
        assert_eq!(value(b"[\xe9]\n[general]\n\xe9=1\npath=/x\n"), Ok(Some("/x".to_owned())), "names in Latin-1");
    }

    #[test]
    fn the_last_of_two_counts_and_groups_are_joined() {
        assert_eq!(value(b"[general]\npath=/1\n[other]\npath=/2\n[general]\npath=/3\n"), Ok(Some("/3".to_owned())));
        assert_eq!(value(b"[other]\npath=/2\n"), Ok(None));
        assert_eq!(value(b""), Ok(None));
    }

    #[test]
    fn a_line_that_is_nothing_is_an_error_with_its_number() {
        for (text, line) in [
            ("garbage\n", 1),
            ("[general]\n# fine\n=x\n", 3),
            ("[general]x\n", 1),
            ("[general]\n;no comment\n", 2),
            ("path=/x\n", 1),
            ("[]\n", 1),
            ("[gen\teral]\n", 1),
            ("[general]\npa[th=x\n", 2),
            ("[general]\npath[d e]=x\n", 2),
            ("\u{feff}[general]\n", 1),
        ] {
            let error = KeyFile::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("line {line} ")), "{text:?}: {error}");
        }
        assert!(KeyFile::parse("[general]\npath[de]=/a\nx y=1\n").is_ok());
    }
}
