//! `bulkhead module install`: from a signed file to the current version.
//!
//! The order is that of trust. Nothing of the file is looked at before its signature is known to be one of the owner's keys; then
//! a program without privileges looks; and the module runs for the first time, with every capability refused, when all
//! else is known to be right. What the store does with it at the end is the moment of installing.

use super::compiler::{Compiler, Description};
use super::source::{Source, beside};
use super::taken::Watched;
use super::words::{Progress, now, short};
use super::{claims, codes, trial};
use crate::which::Where;
use anyhow::{Context, anyhow};
use bulkhead_policy::Policy;
use bulkhead_store::{Code, Keys, State, Store, StoreError, Version};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The module's file. Its signature, as 'minisign -S' makes it, lies beside it: FILE.minisig.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Check all of it, and install nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not wait for the running agent to take it over, and do not say whether it has.
    #[arg(long)]
    no_wait: bool,
    /// The state directory of the agent to wait for [default: the one that the agent's configuration file names].
    #[arg(long, value_name = "DIR", conflicts_with = "no_wait")]
    statedir: Option<PathBuf>,
    /// Say on stderr what is being done, also where that is no terminal.
    #[arg(long, short)]
    verbose: bool,
}

/// A module that may become current.
struct Candidate {
    source: Source,
    signature: String,
    signer: String,
    description: Description,
    codes: Vec<(Code, Vec<u8>)>,
}

/// Runs the tool.
pub(crate) fn run(r#where: &Where, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let refused = || format!("{} is not installed", options.file.display());
    install(r#where, options, out).with_context(refused)
}

fn install(r#where: &Where, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let progress = Progress::new(options.verbose);
    let store = Store::new(&r#where.store);
    let state = store.read()?;
    progress.step("reading the file");
    let source = Source::read(&options.file)?;
    if let Some((name, version)) = current(&state, &source.digest) {
        writeln!(out, "{name} {version} is installed already, and current: {}", short(&source.digest))?;
        if !state.modules.get(name).is_some_and(|entry| entry.enabled) {
            writeln!(out, "It is disabled: 'bulkhead module enable {name}' lets it run.")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let files = r#where.whose.files();
    let loaded = files.load().context("there is no policy to install it under")?;
    let policy = &loaded.policy;
    let candidate = examine(r#where, policy, &state, source, &options.file, progress)?;
    let (name, version) = (&candidate.description.manifest.name, &candidate.description.manifest.version);
    let name_and_version = format!("{name} {version}");
    for command in claims::unruled(&candidate.description.manifest, policy) {
        eprintln!("note: no rule of the policy lets clients use {command}: a rule [[command]] does");
    }
    if options.dry_run {
        writeln!(out, "{name_and_version} could be installed: sha256 {}", candidate.source.digest)?;
        return Ok(ExitCode::SUCCESS);
    }
    progress.step("putting it into the store");
    let (name, version, digest) = (name.clone(), version.clone(), candidate.source.digest.clone());
    let watched = (!options.no_wait).then(|| Watched::new(options.statedir.as_deref(), files, loaded.digest.clone()));
    let is_enabled = commit(&store, candidate)?;
    writeln!(out, "{name_and_version} is installed, and current: sha256 {digest}")?;
    if !is_enabled {
        writeln!(out, "It is disabled: 'bulkhead module enable {name}' lets it run.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(watched) = watched else { return Ok(ExitCode::SUCCESS) };
    progress.step("waiting for the agent");
    out.flush()?;
    // It is installed, whatever can be said of the agent.
    match watched.and_then(|watched| watched.wait(&r#where.store, &name, &version, &digest)) {
        Ok(told) => writeln!(out, "{told}")?,
        Err(error) => writeln!(out, "Whether an agent has taken it over cannot be said: {error:#}")?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The module of which this is the current version.
fn current<'a>(state: &'a State, digest: &str) -> Option<(&'a str, &'a str)> {
    let (name, entry) = state.modules.iter().find(|(_, entry)| entry.current.as_deref() == Some(digest))?;
    Some((name, &entry.version(digest)?.manifest.version))
}

/// All that is checked before the store is touched.
fn examine(
    r#where: &Where,
    policy: &Policy,
    state: &State,
    source: Source,
    file: &std::path::Path,
    progress: Progress,
) -> anyhow::Result<Candidate> {
    progress.step("checking the signature");
    let keys = Keys::read(&r#where.keys)?;
    let signature = source.signature.clone().ok_or_else(|| {
        anyhow!("it is not signed: there is no {}; its vendor gives one with the module", beside(file).display())
    })?;
    let key = keys.signer(&source.component, &signature)?;
    progress.step("looking at the component");
    let compiler = Compiler::find(r#where.compiler.as_deref())?;
    let description = compiler.describe(&source.component)?;
    let (manifest, imports) = (&description.manifest, &description.imports);
    manifest.check()?;
    key.check(&manifest.name, now())?;
    claims::against_the_agent(manifest).map_err(anyhow::Error::msg)?;
    claims::against_the_store(manifest, &source.digest, state).map_err(anyhow::Error::msg)?;
    claims::against_the_policy(manifest, imports, policy).map_err(anyhow::Error::msg)?;
    progress.step("compiling it");
    let codes = codes::compile(&compiler, &source.component)?;
    progress.step("trying it with every capability refused");
    trial::run(manifest, imports, &source.digest, &codes)?;
    let signer = key.name();
    Ok(Candidate { source, signature, signer, description, codes })
}

/// The moment of installing; whether the module may run, or the owner has disabled it before.
fn commit(store: &Store, candidate: Candidate) -> Result<bool, StoreError> {
    let Candidate { source, signature, signer, description, codes } = candidate;
    let Description { manifest, imports } = description;
    let what = format!("install {} {}", manifest.name, manifest.version);
    let version = Version {
        digest: source.digest,
        manifest,
        imports,
        signer,
        codes: codes.iter().map(|(code, _)| code.clone()).collect(),
        installed: now(),
        proven: false,
    };
    store.install(&what, &source.component, &signature, &codes, |state| {
        // Another tool, or the agent, may have changed the state since it was read.
        claims::against_the_store(&version.manifest, &version.digest, state).map_err(StoreError::Refused)?;
        let entry = state.modules.entry(version.manifest.name.clone()).or_default();
        entry.add(version);
        Ok(entry.enabled)
    })
}
