//! Reading what an author wrote, so that what is wrong in it is told with its place.

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The text of a file, and where it stands.
#[derive(Debug)]
pub(super) struct Text {
    path: PathBuf,
    text: String,
}

impl Text {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Text { path: path.to_owned(), text })
    }

    /// The text itself.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// What it says, if it is TOML of this form.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        toml::from_str(&self.text).map_err(|error: toml::de::Error| {
            // The parser's message may have lines of its own.
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            self.error(error.span().unwrap_or_default(), &message)
        })
    }

    /// `FILE:LINE:COLUMN: what is wrong`.
    pub(super) fn error(&self, at: Range<usize>, message: &str) -> anyhow::Error {
        let before = &self.text[..self.text.floor_char_boundary(at.start)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let (line, column) = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
        anyhow::anyhow!("{}:{line}:{column}: {message}", self.path.display())
    }

    /// The schema that it is.
    pub(super) fn schema(&self) -> anyhow::Result<bulkhead_schema::Schema> {
        // An error names the file by what it is called without its ending.
        let Some(name) = self.path.to_str().and_then(|path| path.strip_suffix(".json")) else {
            bail!("{}: a schema's file has a name that ends in .json", self.path.display());
        };
        Ok(bulkhead_schema::Schema::parse(name, &self.text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    struct Form {
        name: String,
    }

    fn error(text: &str) -> String {
        Text { path: "m.toml".into(), text: text.to_owned() }.parse::<Form>().unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        assert_eq!(error("name = \"a\"\nnmae = 1\n"), "m.toml:2:1: unknown field `nmae`, expected `name`");
        assert_eq!(error("\nname = 7\n"), "m.toml:2:8: invalid type: integer `7`, expected a string");
        assert!(error("name = \n").starts_with("m.toml:1:"), "{}", error("name = \n"));
    }
}
