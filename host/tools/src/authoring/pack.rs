//! `bulkhead module pack`: a component becomes a module when its manifest is added to it.

use super::module_file;
use super::text::Text;
use anyhow::{Context, bail};
use bulkhead_store::SECTION;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// How every component begins, and every core module of WebAssembly (Component Model, binary format, "preamble").
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = FORM)]
pub(crate) struct Options {
    /// What the module says of itself.
    #[arg(long, value_name = "FILE", default_value = "module.toml")]
    manifest: PathBuf,
    /// Its commands, in QAPI's schema language. Without: schema.json beside the manifest.
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// The component.
    component: PathBuf,
    /// The module to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

const FORM: &str = "\
A manifest says:

  name = \"com.example.backup\"       a domain name turned round, and a word of your own
  version = \"1.0.0\"                 for people
  counter = 1                       higher with each version that you give away
  agent = \"0.1.0\"                   the oldest agent that it works with
  description = \"Says how old the last backup is.\"

  [commands.\"__com.example_backup-age\"]
  shown = [\"job\"]                   arguments that the owner's audit may show

  [[self-test]]                     tried before it is installed, with every capability refused
  execute = \"__com.example_backup-age\"
  arguments = { job = \"daily\" }
  error = \"Permission denied\"       or returns = ..., or neither: any answer";

/// Runs the tool.
pub(crate) fn run(options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let schema = options.schema.clone().unwrap_or_else(|| options.manifest.with_file_name("schema.json"));
    let manifest = module_file::manifest(&Text::read(&options.manifest)?, &Text::read(&schema)?)?;
    manifest.check().with_context(|| format!("{} and {}", options.manifest.display(), schema.display()))?;
    let path = options.component.display();
    let component = std::fs::read(&options.component).with_context(|| format!("cannot read {path}"))?;
    check(&component).with_context(|| path.to_string())?;
    let module = manifest.append(&component);
    std::fs::write(&options.output, &module).with_context(|| format!("cannot write {}", options.output.display()))?;
    let (file, commands) = (options.output.display(), manifest.commands.len());
    let plural = if commands == 1 { "" } else { "s" };
    writeln!(out, "{} {}: {commands} command{plural}, {} bytes", manifest.name, manifest.version, module.len())?;
    writeln!(out, "try it:      bulkhead module test {file}")?;
    writeln!(out, "sign it:     minisign -Sm {file}")?;
    writeln!(out, "install it:  bulkhead module install {file}")?;
    Ok(ExitCode::SUCCESS)
}

/// Whether it is a component that has no manifest yet.
fn check(component: &[u8]) -> anyhow::Result<()> {
    if component.starts_with(CORE_MODULE) {
        bail!("this is a core module, not a component: link it with wasm-component-ld");
    }
    let Some(mut rest) = component.strip_prefix(COMPONENT) else { bail!("this is not a component") };
    while let Some((id, after)) = rest.split_first() {
        let (size, after) = number(after).context("this component has no end")?;
        let (section, after) = after.split_at_checked(size).context("this component has no end")?;
        if *id == 0 && number(section).is_some_and(|(length, name)| name.get(..length) == Some(SECTION.as_bytes())) {
            bail!("this component has a manifest already: give the one that the linker wrote");
        }
        rest = after;
    }
    Ok(())
}

/// An unsigned number in LEB128, and what follows it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(component: &[u8]) -> String {
        check(component).unwrap_err().to_string()
    }

    #[test]
    fn only_a_component_without_a_manifest_is_packed() {
        assert!(check(COMPONENT).is_ok());
        let with = |section: &[u8]| [COMPONENT, section].concat();
        assert!(check(&with(b"\0\x05\x04name")).is_ok());
        assert!(fault(&with(b"\0\x14\x11bulkhead:manifest{}")).contains("has a manifest already"));
        assert!(fault(&with(b"\0\x06\x04name")).contains("has no end") && fault(&with(b"\0\x80")).contains("no end"));
        assert!(fault(CORE_MODULE).contains("wasm-component-ld"));
        assert_eq!(fault(b"#!/bin/sh"), "this is not a component");
    }

    #[test]
    fn numbers_are_leb128() {
        assert_eq!(number(&[0xE5, 0x8E, 0x26, 7]), Some((624_485, &[7][..])));
        assert_eq!((number(&[]), number(&[0x80; 9])), (None, None));
    }
}
