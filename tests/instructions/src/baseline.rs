//! The numbers that were accepted.

use crate::cases::Case;
use anyhow::{Context, Result, anyhow};
use std::collections::BTreeMap;
use std::fmt::Write;
use toml::de::{DeTable, DeValue};

/// What stands at the head of the file.
const HEAD: &str = "# Instructions that one repetition of each case needs (tests/instructions/src/cases). `make instructions` compares,\n\
                    # `make instructions ACCEPT=1` writes this file anew. A number that goes up wants a reason in the commit.\n\n";

/// A file of baselines.
#[derive(Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The version of the compiler that the counts are of.
    pub rustc: String,
    /// The target that they are of. On others there is nothing to compare with.
    pub target: String,
    /// Instructions by the name of the case.
    pub instructions: BTreeMap<String, u64>,
}

impl Baseline {
    /// With nothing in it, of the compiler and the target of this program.
    pub fn of_this_build() -> Self {
        Baseline {
            rustc: env!("BUILT_BY").to_owned(),
            target: env!("BUILT_FOR").to_owned(),
            instructions: BTreeMap::new(),
        }
    }

    /// Reads the text of a file.
    pub fn parse(text: &str) -> Result<Self> {
        let table = DeTable::parse(text)?.into_inner();
        let word = |key: &str| match table.get(key).map(|value| value.get_ref()) {
            Some(DeValue::String(word)) => Ok(word.clone().into_owned()),
            _ => Err(anyhow!("'{key}' is missing, or no string")),
        };
        let counts = table.get("instructions").and_then(|value| value.get_ref().as_table());
        let counts = counts.context("the table [instructions] is missing")?.iter().map(|(name, value)| {
            let count = value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
            Ok((
                name.get_ref().clone().into_owned(),
                count.with_context(|| format!("'{}' is no count", name.get_ref()))?,
            ))
        });
        Ok(Baseline { rustc: word("rustc")?, target: word("target")?, instructions: counts.collect::<Result<_>>()? })
    }

    /// The text of a file, for these cases, each with what it does.
    pub fn text(&self, cases: &[&Case]) -> String {
        let mut text = format!("{HEAD}rustc = \"{}\"\ntarget = \"{}\"\n\n[instructions]\n", self.rustc, self.target);
        for case in cases {
            if let Some(count) = self.instructions.get(case.name) {
                let _ = writeln!(text, "{} = {count} # {}", case.name, case.what);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases;

    #[test]
    fn what_is_written_is_read() {
        let cases: Vec<&Case> = cases::all().collect();
        let mut baseline = Baseline::of_this_build();
        baseline.instructions = cases.iter().zip(1000..).map(|(case, count)| (case.name.to_owned(), count)).collect();
        assert_eq!(Baseline::parse(&baseline.text(&cases)).unwrap(), baseline);
    }

    #[test]
    fn what_is_no_baseline_is_refused() {
        for (text, error) in [
            ("target = \"x\"\n[instructions]", "'rustc' is missing, or no string"),
            ("rustc = \"1\"\ntarget = \"x\"", "the table [instructions] is missing"),
            ("rustc = \"1\"\ntarget = \"x\"\n[instructions]\na = -1", "'a' is no count"),
        ] {
            assert_eq!(Baseline::parse(text).unwrap_err().to_string(), error);
        }
    }
}
