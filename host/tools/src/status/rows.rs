//! The modules: what serves, and what is installed and does not.

use super::Status;
use bulkhead_catalog::modules;
use bulkhead_host::briefly::date;
use bulkhead_host::running::{ServingModule, Stage};
use serde_json::{Value, json};
use std::io::{self, Write};

/// A module, and how it is.
pub(super) struct Row {
    name: String,
    version: String,
    digest: String,
    state: Stated,
    /// In one sentence, if there is more to say.
    why: Option<String>,
}

/// How a module is.
enum Stated {
    Serves(Stage),
    /// The agent does not have it, though the owner wants it to.
    LeftOut,
    Disabled,
    /// It is there, and no agent runs.
    Installed,
    /// It is there, and the agent has not taken it over yet.
    Pending,
    /// Since when.
    Quarantine(u64),
}

impl Status {
    /// What serves, and what is installed and does not.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.report().into_iter().flat_map(|it| &it.modules).map(serving).collect();
        // What is on record by now, though the agent has not said so yet, is told from the record.
        let is_on_record = |module: &str, version: &str| {
            let quarantine = self.installed.iter().flat_map(|state| state.quarantine.values());
            quarantine.into_iter().any(|it| it.module == module && it.version == version)
        };
        let failed = self.report().into_iter().flat_map(|it| &it.failed);
        for it in failed.filter(|it| !is_on_record(&it.module, &it.version)) {
            let (name, version, why) = (it.module.clone(), it.version.clone(), Some(it.why.clone()));
            rows.push(Row { name, version, digest: String::new(), state: Stated::LeftOut, why });
        }
        let Ok(state) = &self.installed else { return rows };
        for (name, entry) in &state.modules {
            let Some(version) = entry.current.as_deref().and_then(|digest| entry.version(digest)) else { continue };
            let shown = &version.manifest.version;
            if rows.iter().any(|row| row.name == *name && row.version == *shown) {
                continue;
            }
            let state = match (entry.enabled, &self.agent) {
                (false, _) => Stated::Disabled,
                (true, Some(_)) => Stated::Pending,
                (true, None) => Stated::Installed,
            };
            let (version, digest) = (shown.clone(), version.digest.clone());
            rows.push(Row { name: name.clone(), version, digest, state, why: None });
        }
        for (digest, it) in &state.quarantine {
            let (name, version) = (it.module.clone(), it.version.clone());
            let state = Stated::Quarantine(it.since);
            rows.push(Row { name, version, digest: digest.clone(), state, why: Some(it.reason.clone()) });
        }
        rows
    }
}

impl Row {
    fn replaces_built_in(&self) -> bool {
        modules::is_built_in(&self.name)
    }

    /// How it is, for people.
    fn text(&self) -> String {
        let place = if self.replaces_built_in() { "in the place of the built-in module, " } else { "" };
        match &self.state {
            Stated::Serves(Stage::Proven) => format!("serves, {place}proven"),
            Stated::Serves(Stage::Probation { calls, of }) => {
                format!("serves, {place}on probation, {calls} of {of} calls")
            }
            Stated::LeftOut => "left out".to_owned(),
            Stated::Disabled => "disabled".to_owned(),
            Stated::Installed => "installed".to_owned(),
            Stated::Pending => "installed, and not taken over by the agent yet".to_owned(),
            Stated::Quarantine(since) => format!("in quarantine since {}", date(*since)),
        }
    }

    /// The same for programs: a word, and numbers.
    pub(super) fn json(&self) -> Value {
        let (state, calls, of, since) = match self.state {
            Stated::Serves(Stage::Proven) => ("proven", None, None, None),
            Stated::Serves(Stage::Probation { calls, of }) => ("probation", Some(calls), Some(of), None),
            Stated::LeftOut => ("left-out", None, None, None),
            Stated::Disabled => ("disabled", None, None, None),
            Stated::Installed => ("installed", None, None, None),
            Stated::Pending => ("pending", None, None, None),
            Stated::Quarantine(since) => ("quarantine", None, None, Some(since)),
        };
        json!({
            "name": self.name,
            "version": self.version,
            "digest": Some(&self.digest).filter(|digest| !digest.is_empty()),
            "state": state,
            "serves": matches!(self.state, Stated::Serves(_)),
            "calls": calls,
            "of": of,
            "since": since,
            "replaces-built-in": self.replaces_built_in(),
            "text": self.text(),
            "why": self.why,
        })
    }
}

/// All of them, for people.
pub(super) fn write(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        writeln!(out, "  the built-in ones alone")?;
    }
    for row in rows {
        let why = row.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        writeln!(out, "  {} {}: {}{why}", row.name, row.version, row.text())?;
    }
    Ok(())
}

fn serving(module: &ServingModule) -> Row {
    let (name, version, digest) = (module.name.clone(), module.version.clone(), module.digest.clone());
    let why = match module.deaths {
        0 => None,
        1 => Some("an agent has ended in the middle of one of its calls".to_owned()),
        deaths => Some(format!("agents have ended in the middle of {deaths} of its calls")),
    };
    Row { name, version, digest, state: Stated::Serves(module.stage), why }
}
