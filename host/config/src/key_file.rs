//! Key files: the `[group]` and `key=value` text of GLib's `GKeyFile`, in which configuration and state are kept.

mod error;
mod escape;
mod read;

use std::fmt;

use escape::escape;

pub use error::{KeyFileError, ValueProblem};

/// A key file in memory.
///
/// What counts, each point tried against `qemu-ga`: blank lines and lines that begin with `#` (not `;`) are skipped;
/// white space before a line, around a key and before a value is dropped, after a value it is kept; a group may come
/// twice and its parts are joined; of a key that comes twice the last counts. Values know the escapes `\s` (space),
/// `\t`, `\n`, `\r` and `\\`. Comments need not be UTF-8, and a value that cannot be read is an error only for those
/// who ask for it: files have been written by people for years, and a key we do not use must not keep us from starting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFile {
    groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: String,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    key: String,
    value: Result<String, ValueProblem>,
    /// Counted from 1; 0 for an entry that was set and not read.
    line: usize,
    /// The line whose value this one took the place of.
    before: Option<usize>,
}

impl KeyFile {
    /// The value of a key with its escapes resolved; `None` if the file does not have the key.
    pub fn get(&self, group: &str, key: &str) -> Result<Option<&str>, KeyFileError> {
        let Some(entry) = self.group(group).and_then(|group| group.entries.iter().find(|entry| entry.key == key))
        else {
            return Ok(None);
        };
        match &entry.value {
            Ok(value) => Ok(Some(value)),
            Err(problem) => {
                Err(KeyFileError::Value { line: entry.line, key: entry.key.clone(), problem: problem.clone() })
            }
        }
    }

    /// The value of a key that is switched on or off: `true` or `1`, `false` or `0`, and nothing else.
    pub fn get_bool(&self, group: &str, key: &str) -> Result<Option<bool>, KeyFileError> {
        match self.get(group, key)? {
            None => Ok(None),
            Some(value) => match value.trim_ascii_end() {
                "true" | "1" => Ok(Some(true)),
                "false" | "0" => Ok(Some(false)),
                _ => Err(KeyFileError::Boolean {
                    line: self.line(group, key),
                    key: key.to_owned(),
                    value: value.to_owned(),
                }),
            },
        }
    }

    /// The error that the value of a key is not what its reader needs.
    pub(crate) fn fault(&self, group: &str, key: &str, problem: ValueProblem) -> KeyFileError {
        KeyFileError::Value { line: self.line(group, key), key: key.to_owned(), problem }
    }

    fn line(&self, group: &str, key: &str) -> usize {
        self.keys(group).find(|(name, _)| *name == key).map_or(0, |(_, line)| line)
    }

    /// The groups, in the order in which they first came.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|group| group.name.as_str())
    }

    /// The keys of a group with the line on which each was last given, counted from 1.
    pub fn keys(&self, group: &str) -> impl Iterator<Item = (&str, usize)> {
        self.group(group).into_iter().flat_map(|group| &group.entries).map(|entry| (entry.key.as_str(), entry.line))
    }

    /// The keys of a group that were given again, with the line that counts and the one before it.
    pub fn repeated(&self, group: &str) -> impl Iterator<Item = (&str, usize, usize)> {
        let entries = self.group(group).into_iter().flat_map(|group| &group.entries);
        entries.filter_map(|entry| Some((entry.key.as_str(), entry.line, entry.before?)))
    }

    /// Sets a key; a new one goes to the end of its group. The text of the file is `to_string()`.
    ///
    /// Group and key are our own words and not checked; the value may be any text.
    pub fn set(&mut self, group: &str, key: &str, value: &str) {
        let group = self.group_index(group);
        self.groups[group].put(key, Ok(value.to_owned()), 0);
    }

    fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    fn group_index(&mut self, name: &str) -> usize {
        self.groups.iter().position(|group| group.name == name).unwrap_or_else(|| {
            self.groups.push(Group { name: name.to_owned(), entries: Vec::new() });
            self.groups.len() - 1
        })
    }
}

impl Group {
    fn put(&mut self, key: &str, value: Result<String, ValueProblem>, line: usize) {
        let entry = |before| Entry { key: key.to_owned(), value, line, before };
        match self.entries.iter_mut().find(|entry| entry.key == key) {
            Some(former) => *former = entry(Some(former.line)),
            None => self.entries.push(entry(None)),
        }
    }
}

impl fmt::Display for KeyFile {
    /// Writes the file as `GKeyFile` does. Comments are not kept, and a value that could not be read is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.groups.iter().enumerate() {
            let blank_line = if index > 0 { "\n" } else { "" };
            writeln!(f, "{blank_line}[{}]", group.name)?;
            for Entry { key, value, .. } in &group.entries {
                if let Ok(value) = value {
                    writeln!(f, "{key}={}", escape(value))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_value_matters_only_to_those_who_ask_for_it() {
        for (text, said) in [
            (&b"[general]\n\npath=C:\\q\n"[..], r"line 3: the value of 'path' has the unknown escape '\q'"),
            (b"[general]\npath=a\\;b\n", r"line 2: the value of 'path' has the unknown escape '\;'"),
            (b"[general]\npath=a\\\n", "line 2: the value of 'path' ends with a single backslash"),
            (b"[general]\npath=\xfc\n", "line 2: the value of 'path' is not valid UTF-8"),
        ] {
            let error = KeyFile::parse(text).unwrap().get("general", "path").unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
            assert_eq!(KeyFile::parse(text).unwrap().get("general", "other"), Ok(None));
        }
    }

    #[test]
    fn booleans_have_four_spellings() {
        let verbose =
            |text: &str| KeyFile::parse(format!("[general]\nverbose={text}\n")).unwrap().get_bool("general", "verbose");
        assert_eq!((verbose("true"), verbose(" 1 ")), (Ok(Some(true)), Ok(Some(true))));
        assert_eq!((verbose("false"), verbose("0")), (Ok(Some(false)), Ok(Some(false))));
        for other in ["", "yes", "TRUE", "2"] {
            let error = verbose(other).unwrap_err().to_string();
            assert_eq!(error, format!("line 2: 'verbose' must be true, false, 1 or 0, not '{other}'"));
        }
    }

    #[test]
    fn what_was_set_is_written_in_order_and_reads_back() {
        let mut file = KeyFile::default();
        file.set("global", "fd_counter", "1000");
        assert_eq!(file.to_string(), "[global]\nfd_counter=1000\n");
        file.set("other", "key", " \t a\tb\n");
        file.set("global", "fd_counter", "1001");
        assert_eq!(file.to_string(), "[global]\nfd_counter=1001\n\n[other]\nkey=\\s\\t\\sa\tb\\n\n");
        let again = KeyFile::parse(file.to_string()).unwrap();
        assert_eq!(again.get("other", "key"), Ok(Some(" \t a\tb\n")));
        assert_eq!(again.groups().collect::<Vec<_>>(), ["global", "other"]);
    }
}
