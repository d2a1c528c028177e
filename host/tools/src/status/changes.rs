//! What has changed since the agent has read its files: nobody compares digests by eye.

use bulkhead_broker::policy_files::PolicyFiles;
use bulkhead_host::running::Report;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

/// What has changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    policy: Policy,
    /// Whether the configuration file has.
    pub(super) configuration: bool,
}

#[derive(Debug, Default)]
enum Policy {
    /// It decides what it decided.
    #[default]
    Same,
    /// It would decide otherwise: the files that were changed, as far as can be told.
    Other(Vec<PathBuf>),
    /// It could not be read again.
    Broken(String),
}

impl Changes {
    /// Since an agent said this of itself.
    pub(super) fn since(report: &Report) -> Self {
        let configuration = report.in_force.as_ref().and_then(|it| it.configuration.as_ref());
        let has_changed = |(path, digest): &(PathBuf, String)| {
            std::fs::read(path).map_or(true, |bytes| bulkhead_store::digest::of(&bytes) != *digest)
        };
        Changes { policy: Policy::since(report), configuration: configuration.is_some_and(has_changed) }
    }

    pub(super) fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        match &self.policy {
            Policy::Same => {}
            Policy::Other(files) => {
                let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
                let what = if names.is_empty() { "what it is read from".to_owned() } else { names.join(", ") };
                writeln!(out, "  CHANGED since: {what}; to put it in force: bulkhead policy reload")?;
            }
            Policy::Broken(why) => writeln!(out, "  CHANGED since, and could not be read again: {why}")?,
        }
        if let Some(why) = &report.refused {
            writeln!(out, "  the last reload was refused: {why}")?;
        }
        if let (true, Some((path, _))) =
            (self.configuration, report.in_force.as_ref().and_then(|it| it.configuration.as_ref()))
        {
            writeln!(out, "configuration: {} has CHANGED since; it is read when the agent starts", path.display())?;
        }
        Ok(())
    }

    pub(super) fn policy_json(&self) -> Value {
        match &self.policy {
            Policy::Same => json!(false),
            Policy::Other(_) => json!(true),
            Policy::Broken(why) => json!(why),
        }
    }
}

impl Policy {
    fn since(report: &Report) -> Self {
        let loaded = match PolicyFiles::load(&report.files) {
            Ok(loaded) if loaded.digest == report.digest => return Policy::Same,
            Ok(loaded) => loaded,
            Err(error) => return Policy::Broken(format!("{:#}", anyhow::Error::new(error))),
        };
        let Some(in_force) = &report.in_force else { return Policy::Other(Vec::new()) };
        let is_younger = |path: &PathBuf| {
            let changed = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
            changed
                .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
                .is_some_and(|at| at.as_secs() >= in_force.policy_since)
        };
        let (before, after) = (&in_force.files, &loaded.files);
        let gone = before.iter().filter(|file| !after.contains(file));
        let other = after.iter().filter(|file| !before.contains(file) || is_younger(file));
        Policy::Other(gone.chain(other).cloned().collect())
    }
}
