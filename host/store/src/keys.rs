//! The keys that the owner trusts: minisign public keys in `keys.d`, each with the names of the modules it may sign.
//!
//! ```text
//! untrusted comment: minisign public key 3A0C...
//! RWQ...
//! modules: com.example.* file
//! expires: 2028-12-31
//! ```
//!
//! The first two lines are what `minisign -G` writes; `minisign -V -p` reads only these. A key without `modules:` signs
//! nothing. Empty lines and lines that begin with `#` may be between the others.

use crate::date;
use crate::names;
use bulkhead_trust::TrustError;
use minisign_verify::{PublicKey, Signature};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// How long the lines of a key's file may be together, in bytes. It bounds what a file that is no key costs at each
/// installation; the two lines of minisign have a hundred, and the names of a hundred modules some thousand.
const LONGEST: usize = 16 << 10;

/// The owner's keys.
#[derive(Debug, Default)]
pub struct Keys {
    folder: PathBuf,
    keys: Vec<Key>,
}

/// One of them.
#[derive(Debug)]
pub struct Key {
    /// Its file.
    pub file: PathBuf,
    /// The names of modules that it may sign; one that ends in `*` stands for all that begin so.
    pub modules: Vec<String>,
    /// The last day on which a module that it signed can be installed, in days since 1970; none for ever.
    pub expires: Option<u64>,
    number: String,
    key: PublicKey,
}

/// Why a signature does not count.
#[derive(Debug, Error)]
pub enum KeyError {
    /// A key's file, or the folder, is not to be trusted, or cannot be read.
    #[error(transparent)]
    Untrusted(#[from] TrustError),
    /// A key's file is none.
    #[error("{}: {why}", file.display())]
    Wrong {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The signature cannot be read.
    #[error("the signature cannot be read: {0}")]
    Signature(String),
    /// No key made it.
    #[error("the signature was made by a key that is not in {}: put the vendor's .pub file there if you trust it", .0.display())]
    Unknown(PathBuf),
    /// The key made a signature of something else.
    #[error(
        "the signature is not one of this file: it was made by {0}, but of something else, or the file was changed since"
    )]
    Mismatch(String),
    /// The key may not sign this module.
    #[error("{key} may not sign the module {module}: its file names the modules that it may sign in a line 'modules:'")]
    NotForModule {
        /// Which key.
        key: String,
        /// Which module.
        module: String,
    },
    /// It is too late.
    #[error("{key} has expired on {day}")]
    Expired {
        /// Which.
        key: String,
        /// Its last day.
        day: String,
    },
}

impl Keys {
    /// Reads those of a folder: the files whose names end with `.pub`. None if there is no such folder.
    pub fn read(folder: &Path) -> Result<Self, KeyError> {
        let mut keys: Vec<Key> = Vec::new();
        for file in bulkhead_trust::files(folder, "pub")? {
            let Some(text) = bulkhead_trust::read(&file)? else { continue };
            let wrong = |why| KeyError::Wrong { file: file.clone(), why };
            let key = Key::parse(&file, &text).map_err(wrong)?;
            // Which of two had signed could not be told, and so neither what it may sign.
            if let Some(other) = keys.iter().find(|other| other.number == key.number) {
                return Err(wrong(format!("{} has the same key: keep one of the two", other.file.display())));
            }
            keys.push(key);
        }
        Ok(Keys { folder: folder.to_owned(), keys })
    }

    /// All of them, in the order of their files' names.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// Which key has signed `bytes`, whatever module it is and however late. `signature` is the text of a `.minisig`
    /// file, of either kind that minisign knows; its trusted comment is vouched for too.
    pub fn signer(&self, bytes: &[u8], signature: &str) -> Result<&Key, KeyError> {
        let signature = Signature::decode(signature).map_err(|error| KeyError::Signature(error.to_string()))?;
        for key in &self.keys {
            match key.key.verify(bytes, &signature, true) {
                Ok(()) => return Ok(key),
                Err(minisign_verify::Error::UnexpectedKeyId) => {}
                Err(_) => return Err(KeyError::Mismatch(key.name())),
            }
        }
        Err(KeyError::Unknown(self.folder.clone()))
    }
}

impl Key {
    /// How people know it: the name of its file and its number, as `vendor.pub (3A0C4E9D1B2F7788)`.
    #[must_use]
    pub fn name(&self) -> String {
        let file = self.file.file_name().unwrap_or(self.file.as_os_str());
        format!("{} ({})", file.display(), self.number)
    }

    /// The last day on which a module that it signed can be installed, as `2028-12-31`; none for ever.
    #[must_use]
    pub fn last_day(&self) -> Option<String> {
        self.expires.map(date::text)
    }

    /// Whether it may sign `module` at this time, in seconds since 1970.
    pub fn check(&self, module: &str, now: u64) -> Result<(), KeyError> {
        if !self.modules.iter().any(|pattern| bulkhead_policy::covers(pattern, module)) {
            return Err(KeyError::NotForModule { key: self.name(), module: module.to_owned() });
        }
        match self.expires {
            Some(day) if now / date::DAY > day => Err(KeyError::Expired { key: self.name(), day: date::text(day) }),
            _ => Ok(()),
        }
    }

    fn parse(file: &Path, text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes, so it is not a key"));
        }
        let key = PublicKey::decode(text).map_err(|_| not_a_key(text))?;
        let mut lines = text.lines().zip(1..).skip(1);
        let number = lines.next().and_then(|(line, _)| number(line)).ok_or("its second line is not a key")?;
        let (mut modules, mut expires) = (None, None);
        for (line, at) in lines {
            let fault = |why: String| format!("line {at}: {why}");
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let is_first = match line.split_once(':') {
                Some(("modules", names)) => modules.replace(patterns(names).map_err(fault)?).is_none(),
                Some(("expires", day)) => expires.replace(date::day(day.trim()).map_err(fault)?).is_none(),
                _ => return Err(fault(format!("'{line}' is neither 'modules: NAME...' nor 'expires: YYYY-MM-DD'"))),
            };
            if !is_first {
                return Err(fault("there is such a line already: make one of them".into()));
            }
        }
        Ok(Key { file: file.to_owned(), modules: modules.unwrap_or_default(), expires, number, key })
    }
}

/// Why the first two lines are not a key. A key's file without a line break at its end, and lines that were added to it, make one line.
fn not_a_key(text: &str) -> String {
    let second = text.lines().nth(1).unwrap_or_default();
    let added = ["modules:", "expires:"].into_iter().find(|added| second.contains(added));
    added.map_or("its first two lines are not those that 'minisign -G' writes into a .pub file".to_owned(), |added| {
        format!("its second line is the key and '{added}' in one: '{added}' needs a line of its own")
    })
}

/// The names of modules in a line.
fn patterns(line: &str) -> Result<Vec<String>, String> {
    let check = |pattern: &str| match pattern.strip_suffix('*') {
        None => names::is_module(pattern),
        Some("") => true,
        // At a dot, or `com.example*` would stand for com.examples-rival too.
        Some(beginning) => beginning.strip_suffix('.').is_some_and(names::is_module),
    };
    match line.split_whitespace().find(|pattern| !check(pattern)) {
        Some(wrong) => Err(format!("'{wrong}' is neither the name of a module nor ends with '.*'")),
        None => Ok(line.split_whitespace().map(str::to_owned).collect()),
    }
}

/// The number of a key, as minisign prints it: of the 42 bytes two are the algorithm and eight the number, the last one
/// first.
fn number(line: &str) -> Option<String> {
    let bytes = base64_simd::STANDARD.decode_to_vec(line.trim()).ok()?;
    let number: [u8; 8] = bytes.get(2..10)?.try_into().ok()?;
    Some(format!("{:016X}", u64::from_le_bytes(number)))
}

#[cfg(test)]
mod tests;
