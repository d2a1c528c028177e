//! The answers in which the oracle may, and then must, differ from a transcript.

use crate::notation::matches;
use crate::player::Difference;
use anyhow::{Context, Result, bail, ensure};
use std::path::Path;

/// One `[[exception]]` of `exceptions.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exception {
    /// The transcripts it is about; `*` stands for any text.
    pub case: String,
    /// The oracle's version it is about, such as `7.2`; empty for any.
    pub oracle: String,
    /// A quotation: what the oracle's answer holds.
    pub says: String,
    /// Why the difference is right.
    pub reason: String,
}

impl Exception {
    /// Whether it speaks of this oracle.
    pub fn is_about(&self, version: &str) -> bool {
        let rest = version.strip_prefix(&self.oracle);
        self.oracle.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// Whether it explains a difference seen in the transcript `case`.
    pub fn explains(&self, case: &str, difference: &Difference) -> bool {
        matches(&self.case, "*", case) && difference.got.contains(&self.says)
    }
}

/// The exceptions of `tests/oracle/exceptions.toml` that speak of an oracle of this version.
pub fn for_oracle(version: &str) -> Result<Vec<Exception>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../oracle/exceptions.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut all = parse(&text)?;
    all.retain(|exception| exception.is_about(version));
    Ok(all)
}

/// Reads exceptions: tables `[[exception]]` of keys with a string in one line. That much of TOML and no more, so that
/// the tests need no parser for it.
pub fn parse(text: &str) -> Result<Vec<Exception>> {
    let mut all: Vec<Exception> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let place = || format!("exceptions.toml, line {}", index + 1);
        match line.split_once('=') {
            _ if line.trim().is_empty() || line.starts_with('#') => {}
            None if line.trim() == "[[exception]]" => all.push(Exception::default()),
            None => bail!("{}: neither a key nor [[exception]]", place()),
            Some((key, value)) => {
                let it = all.last_mut().with_context(|| format!("{}: before the first [[exception]]", place()))?;
                let value = value.trim();
                let literal = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
                let value = match literal {
                    Some(literal) => literal.to_owned(),
                    None => serde_json::from_str(value).with_context(|| format!("{}: not a string", place()))?,
                };
                match key.trim() {
                    "case" => it.case = value,
                    "oracle" => it.oracle = value,
                    "says" => it.says = value,
                    "reason" => it.reason = value,
                    other => bail!("{}: unknown key {other}", place()),
                }
            }
        }
    }
    for it in &all {
        ensure!(!it.case.is_empty() && !it.says.is_empty(), "an exception needs `case` and `says`: {it:?}");
        ensure!(!it.reason.is_empty(), "the exception for {} gives no reason", it.case);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# why\n[[exception]]\ncase = \"*/frozen\"\noracle = \"7.2\"\nsays = 'a \"b\"'\nreason = \"c\"\n";

    #[test]
    fn a_table_is_read_and_found_by_what_it_quotes() {
        let all = parse(TEXT).unwrap();
        let got = |got: &str| Difference { line: 1, action: String::new(), expected: String::new(), got: got.into() };
        assert_eq!(all.len(), 1);
        assert!(all[0].is_about("7.2.22") && all[0].is_about("7.2") && !all[0].is_about("7.20"));
        assert!(all[0].explains("guest-file-open/frozen", &got("<- a \"b\" c")));
        assert!(!all[0].explains("guest-file-open/frozen", &got("<- nothing")));
        assert!(!all[0].explains("guest-file-open/thawed", &got("<- a \"b\" c")));
    }

    #[test]
    fn what_is_not_an_exception_is_refused() {
        for bad in
            ["case = \"x\"\n", "[[exception]]\ncase = \"x\"\nsays = \"y\"\n", "[[exception]]\nline = \"3\"\n", "?\n"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
