//! `bulkhead module inspect`: all that is known of a module, before it is installed or after.
//!
//! A file need not be signed to be looked at; it is said then. What a module says is printed so that nothing of it moves a
//! terminal's cursor.

use super::compiler::Compiler;
use super::source::Source;
use super::words::{now, of_capability, short, shown, shown_lines};
use super::{claims, named};
use crate::which::Where;
use anyhow::Context;
use bulkhead_policy::Policy;
use bulkhead_store::{Entry, Keys, Manifest, State, Store};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A module that is installed, or a module's file: with a slash, or ending in .wasm.
    #[arg(value_name = "NAME|FILE")]
    what: String,
}

/// What is shown of a module.
struct Shown<'a> {
    manifest: &'a Manifest,
    imports: &'a [String],
    digest: &'a str,
    signer: String,
}

/// Runs the tool.
pub(crate) fn run(r#where: &Where, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let state = Store::new(&r#where.store).read()?;
    let policy = r#where.whose.files().load().context("there is no policy to compare it with")?.policy;
    let what = &options.what;
    if what.contains('/') || what.ends_with(".wasm") {
        return of_file(r#where, Path::new(what), &policy, out);
    }
    let entry = state.modules.get(what).filter(|entry| !entry.versions.is_empty());
    let entry = entry.with_context(|| named::not_installed(&state, what))?;
    for (number, version) in entry.versions.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        let signer = shown(&version.signer);
        let it = Shown { manifest: &version.manifest, imports: &version.imports, digest: &version.digest, signer };
        print(&it, &policy, out)?;
        print_state(&state, entry, &version.digest, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn of_file(r#where: &Where, path: &Path, policy: &Policy, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let source = Source::read(path)?;
    let description = Compiler::find(r#where.compiler.as_deref())?.describe(&source.component)?;
    let manifest = &description.manifest;
    let signer = signer(r#where, &source, manifest);
    let it = Shown { manifest, imports: &description.imports, digest: &source.digest, signer };
    print(&it, policy, out)?;
    if let Err(error) = manifest.check() {
        writeln!(out, "It cannot be installed: {}", shown(&error.to_string()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Who has signed a file, in words.
fn signer(r#where: &Where, source: &Source, manifest: &Manifest) -> String {
    let Some(signature) = &source.signature else { return "nobody: the file is not signed".to_owned() };
    let key = || -> anyhow::Result<String> {
        let keys = Keys::read(&r#where.keys)?;
        let key = keys.signer(&source.component, signature)?;
        key.check(&manifest.name, now())?;
        Ok(key.name())
    };
    match key() {
        Ok(name) => shown(&name),
        Err(error) => format!("not by a key that counts: {}", shown(&error.to_string())),
    }
}

fn print(it: &Shown<'_>, policy: &Policy, out: &mut dyn Write) -> io::Result<()> {
    let manifest = it.manifest;
    writeln!(out, "{} {}", shown(&manifest.name), shown(&manifest.version))?;
    writeln!(out, "  {}", shown(&manifest.description))?;
    writeln!(out, "  sha256     {}", it.digest)?;
    writeln!(out, "  signed by  {}", it.signer)?;
    writeln!(out, "  counter    {}", manifest.counter)?;
    writeln!(out, "  agent      {} or newer", shown(&manifest.agent))?;
    print_commands(manifest, policy, out)?;
    print_imports(it, policy, out)
}

fn print_commands(manifest: &Manifest, policy: &Policy, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n  Commands")?;
    let (schema, unruled) = (manifest.check().ok(), claims::unruled(manifest, policy));
    for command in &manifest.commands {
        let frozen = match (command.while_frozen, policy.lets_run_while_frozen(&command.name)) {
            (true, true) => ", also while file systems are frozen",
            (true, false) => ", but not while file systems are frozen: no rule with while = \"frozen\" names it",
            (false, _) => "",
        };
        let ruled = if unruled.contains(&command.name.as_str()) {
            "no rule of the policy lets clients use it"
        } else {
            "clients may use it"
        };
        writeln!(out, "    {}: {ruled}{frozen}", shown(&command.name))?;
        let Some(known) = schema.as_ref().and_then(|schema| schema.command(&command.name)) else { continue };
        for line in shown_lines(&known.doc.text) {
            writeln!(out, "        {line}")?;
        }
        for argument in &known.arguments {
            let optional = if argument.optional { " (optional)" } else { "" };
            writeln!(out, "        {}{optional}: {}", shown(&argument.name), shown(&argument.doc))?;
        }
        if let Some(returns) = &known.doc.returns {
            writeln!(out, "        Returns: {}", shown(returns))?;
        }
    }
    Ok(())
}

fn print_imports(it: &Shown<'_>, policy: &Policy, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n  What it can reach, if the policy grants it")?;
    if it.imports.is_empty() {
        writeln!(out, "    nothing: it can only compute")?;
    }
    let ungranted = claims::ungranted(&it.manifest.name, it.imports, policy);
    for capability in it.imports {
        let granted =
            if ungranted.contains(&capability.as_str()) { "not granted" } else { "granted in part or in whole" };
        writeln!(out, "    {}: {} ({granted})", shown(capability), of_capability(capability))?;
    }
    Ok(())
}

/// What became of an installed version.
fn print_state(state: &State, entry: &Entry, digest: &str, out: &mut dyn Write) -> io::Result<()> {
    let is_current = entry.current.as_deref() == Some(digest);
    let text = match (state.quarantine.get(digest), is_current, entry.enabled) {
        (Some(quarantine), ..) => format!("in quarantine: {}", shown(&quarantine.reason)),
        (None, true, true) => "current".to_owned(),
        (None, true, false) => "current, but the module is disabled".to_owned(),
        (None, false, _) => format!("kept: 'bulkhead module rollback --to {}' makes it current", short(digest)),
    };
    writeln!(out, "\n  State      {text}")
}
