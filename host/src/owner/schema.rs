//! `bulkhead policy schema`: the JSON schema of policy files.

use crate::{commands, modules};
use bulkhead_policy::json_schema;
use std::io::Write;
use std::process::ExitCode;

/// What the command line says.
///
/// An editor that knows it completes the keys and words of a policy and shows what they mean. The first line of a policy tells the
/// editor where it is: #:schema file:///usr/share/bulkhead/policy.schema.json
#[derive(Debug, clap::Args)]
pub(super) struct Options {}

/// Runs the tool.
pub(super) fn run(_options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    writeln!(out, "{:#}", json_schema(&commands::names(), &modules::names()))?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, fs};

    /// After a wanted change: `BLESS=1 cargo test --release -p bulkhead-host schema`, then read the difference.
    #[test]
    fn the_schema_in_the_repository_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/policy.schema.json");
        let mut out = Vec::new();
        run(&Options {}, &mut out).unwrap();
        let schema = String::from_utf8(out).unwrap();
        if env::var_os("BLESS").is_some() {
            fs::write(path, &schema).unwrap();
        }
        assert_eq!(fs::read_to_string(path).unwrap(), schema);
    }
}
