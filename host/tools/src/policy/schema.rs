//! `bulkhead policy schema`: the JSON schema of policy files.

use super::Known;
use crate::which::Which;
use bulkhead_policy::json_schema;
use std::io::{self, Write};
use std::process::ExitCode;

/// What the command line says.
///
/// An editor that knows it completes the keys and words of a policy and shows what they mean. The first line of a policy tells the
/// editor where it is: #:schema file:///usr/share/bulkhead/policy.schema.json
#[derive(Debug, clap::Args)]
pub(crate) struct Options {}

/// Runs the tool.
pub(crate) fn run(which: &Which, _options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    write(&which.known(), out)?;
    Ok(ExitCode::SUCCESS)
}

fn write(known: &Known, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:#}", json_schema(&known.catalog().names(), &known.modules()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::known::testing::known;
    use std::{env, fs};

    /// After a wanted change: `BLESS=1 cargo test --release -p bulkhead-host schema`, then read the difference.
    #[test]
    fn the_schema_in_the_repository_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/policy.schema.json");
        let mut out = Vec::new();
        write(&Known::built_in(), &mut out).unwrap();
        let schema = String::from_utf8(out).unwrap();
        if env::var_os("BLESS").is_some() {
            fs::write(path, &schema).unwrap();
        }
        assert_eq!(fs::read_to_string(path).unwrap(), schema);
    }

    #[test]
    fn an_editor_completes_what_is_installed() {
        let mut out = Vec::new();
        write(&known(), &mut out).unwrap();
        let schema: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let names = |rule: &str| schema["properties"][rule]["items"]["properties"]["names"].to_string();
        assert!(names("command").contains("\"__com.example_addresses\""), "{}", names("command"));
        assert!(names("module").contains("\"com.example.net\""), "{}", names("module"));
    }
}
