//! `bulkhead module list`.

use super::words::{short, shown};
use crate::which::Where;
use bulkhead_catalog::commands::COMMANDS;
use bulkhead_catalog::modules;
use bulkhead_store::{Entry, State, Store, Version};
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// As JSON, with every version that is kept.
    #[arg(long)]
    json: bool,
}

/// A line of the table.
struct Line {
    name: String,
    version: String,
    state: String,
    commands: usize,
    signer: String,
    digest: String,
}

/// Runs the tool.
pub(crate) fn run(r#where: &Where, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let state = Store::new(&r#where.store).read()?;
    if options.json {
        serde_json::to_writer_pretty(&mut *out, &as_json(&state))?;
        writeln!(out)?;
    } else {
        print(&lines(&state), out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn installed(state: &State) -> impl Iterator<Item = (&String, &Entry)> {
    state.modules.iter().filter(|(_, entry)| !entry.versions.is_empty())
}

/// Whether an installed version of the module runs.
fn runs(state: &State, name: &str) -> bool {
    state.running().any(|version| version.manifest.name == name)
}

/// What becomes of a version, in a word.
fn word(state: &State, entry: &Entry, version: &Version) -> &'static str {
    match entry.current.as_deref() == Some(&version.digest) {
        _ if state.quarantine.contains_key(&version.digest) => "quarantine",
        true if !entry.enabled => "disabled",
        true if version.proven => "current",
        true => "probation",
        false => "kept",
    }
}

fn lines(state: &State) -> Vec<Line> {
    let mut lines = Vec::new();
    for name in modules::names() {
        let (digest, signer) = (String::new(), String::new());
        let state = if runs(state, name) { "replaced" } else { "built in" }.to_owned();
        let commands = COMMANDS.iter().filter(|command| command.module == name).count();
        lines.push(Line {
            name: name.to_owned(),
            version: bulkhead_host::VERSION.to_owned(),
            state,
            commands,
            signer,
            digest,
        });
    }
    for (name, entry) in installed(state) {
        for version in &entry.versions {
            lines.push(Line {
                name: name.clone(),
                version: shown(&version.manifest.version),
                state: word(state, entry, version).to_owned(),
                commands: version.manifest.commands.len(),
                signer: shown(&version.signer),
                digest: short(&version.digest).to_owned(),
            });
        }
    }
    lines
}

fn print(lines: &[Line], out: &mut dyn Write) -> std::io::Result<()> {
    let width = |of: fn(&Line) -> &str, title: &str| {
        lines.iter().map(|line| of(line).chars().count()).max().unwrap_or_default().max(title.len())
    };
    let (name, version) = (width(|line| &line.name, "MODULE"), width(|line| &line.version, "VERSION"));
    writeln!(out, "{:name$}  {:version$}  {:10}  COMMANDS  {:12}  SIGNED BY", "MODULE", "VERSION", "STATE", "DIGEST")?;
    for line in lines {
        let text = format!(
            "{:name$}  {:version$}  {:10}  {:8}  {:12}  {}",
            line.name, line.version, line.state, line.commands, line.digest, line.signer
        );
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

fn as_json(state: &State) -> Value {
    let built_in: Vec<_> = modules::names()
        .into_iter()
        .map(|name| {
            let commands: Vec<_> = COMMANDS.iter().filter(|it| it.module == name).map(|it| it.name).collect();
            json!({ "name": name, "version": bulkhead_host::VERSION, "replaced": runs(state, name), "commands": commands })
        })
        .collect();
    let version = |entry: &Entry, version: &Version| {
        let commands: Vec<_> = version.manifest.commands.iter().map(|command| &command.name).collect();
        json!({
            "version": version.manifest.version,
            "state": word(state, entry, version),
            "digest": version.digest,
            "counter": version.manifest.counter,
            "signer": version.signer,
            "installed": version.installed,
            "imports": version.imports,
            "commands": commands,
            "quarantine": state.quarantine.get(&version.digest).map(|it| &it.reason),
        })
    };
    let installed: Vec<_> = installed(state)
        .map(|(name, entry)| {
            let versions: Vec<_> = entry.versions.iter().map(|it| version(entry, it)).collect();
            json!({
                "name": name,
                "enabled": entry.enabled,
                "running": runs(state, name),
                "current": entry.current,
                "versions": versions,
            })
        })
        .collect();
    json!({ "built-in": built_in, "installed": installed })
}
