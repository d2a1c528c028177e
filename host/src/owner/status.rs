//! `bulkhead status`: how the agent is, from what it says of itself and from its store.

use super::reload::configured;
use crate::modules;
use crate::running::{Report, ServingModule, Stage};
use anyhow::Context;
use bulkhead_audit::rfc3339;
use bulkhead_store::{DEFAULT_STORE, State, Store};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

/// The exit code if no agent runs: that of `systemctl status`.
const NOT_RUNNING: u8 = 3;

/// What the command line says.
///
/// Ends with 0 if an agent runs, with 3 if none does, and with 1 if that cannot be said.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The state directory of the agent [default: the one that the agent's configuration file names].
    #[arg(long, value_name = "DIR")]
    statedir: Option<PathBuf>,
    /// Print it as JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// What is known.
struct Status {
    /// The process of the agent, and what it says, if it has said something yet; nothing if none runs.
    agent: Option<(i32, Option<Report>)>,
    /// Where the modules are installed.
    store: PathBuf,
    /// What is installed, or why that cannot be read.
    installed: Result<State, String>,
}

/// Runs the tool.
pub(crate) fn run(options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let config = configured();
    let statedir = match (&options.statedir, &config) {
        (Some(statedir), _) => statedir.clone(),
        (None, Ok(config)) => config.statedir.clone(),
        (None, Err(_)) => return config.map(|_| ExitCode::FAILURE),
    };
    let agent = Report::of_agent(&statedir).with_context(|| format!("cannot look into {}", statedir.display()))?;
    let said = agent.as_ref().and_then(|(_, report)| report.as_ref()).map(|report| report.store.clone());
    let configured = || config.ok().and_then(|config| config.module_store).unwrap_or_else(|| DEFAULT_STORE.into());
    let store = said.unwrap_or_else(configured);
    let installed = Store::new(&store).read().map_err(|error| format!("{:#}", anyhow::Error::new(error)));
    let status = Status { agent, store, installed };
    if options.json {
        serde_json::to_writer_pretty(&mut *out, &status.json())?;
        writeln!(out)?;
    } else {
        status.write(out)?;
    }
    Ok(if status.agent.is_some() { ExitCode::SUCCESS } else { ExitCode::from(NOT_RUNNING) })
}

/// A module, and how it is.
struct Row {
    name: String,
    version: String,
    digest: String,
    /// `proven`, `on probation`, `disabled`, `left out` and so on.
    state: String,
    /// In one sentence, if there is more to say.
    why: Option<String>,
}

impl Status {
    fn report(&self) -> Option<&Report> {
        self.agent.as_ref()?.1.as_ref()
    }

    /// What serves, and what is installed and does not.
    fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.report().into_iter().flat_map(|it| &it.modules).map(serving).collect();
        // What is on record by now, though the agent has not said so yet, is told from the record.
        let is_on_record = |module: &str, version: &str| {
            let quarantine = self.installed.iter().flat_map(|state| state.quarantine.values());
            quarantine.into_iter().any(|it| it.module == module && it.version == version)
        };
        let failed = self.report().into_iter().flat_map(|it| &it.failed);
        for it in failed.filter(|it| !is_on_record(&it.module, &it.version)) {
            let (name, version, why) = (it.module.clone(), it.version.clone(), Some(it.why.clone()));
            rows.push(Row { name, version, digest: String::new(), state: "left out".to_owned(), why });
        }
        let Ok(state) = &self.installed else { return rows };
        for (name, entry) in &state.modules {
            let Some(version) = entry.current.as_deref().and_then(|digest| entry.version(digest)) else { continue };
            let shown = &version.manifest.version;
            if rows.iter().any(|row| row.name == *name && row.version == *shown) {
                continue;
            }
            let says = if !entry.enabled {
                "disabled"
            } else if self.agent.is_some() {
                "installed, and not taken over by the agent yet"
            } else {
                "installed"
            };
            let (version, digest) = (shown.clone(), version.digest.clone());
            rows.push(Row { name: name.clone(), version, digest, state: says.to_owned(), why: None });
        }
        for (digest, it) in &state.quarantine {
            let (name, version) = (it.module.clone(), it.version.clone());
            let state = format!("in quarantine since {}", time(it.since));
            rows.push(Row { name, version, digest: digest.clone(), state, why: Some(it.reason.clone()) });
        }
        rows
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match &self.agent {
            None => writeln!(out, "agent: none runs")?,
            Some((pid, None)) => writeln!(out, "agent: process {pid}, which says nothing of itself")?,
            Some((pid, Some(it))) => {
                writeln!(out, "agent: version {}, process {pid}, since {}", it.version, time(it.since))?;
                writeln!(out, "policy: {} ({})", it.digest, it.files.file.display())?;
                if let Some(why) = &it.refused {
                    writeln!(out, "  the last reload was refused: {why}")?;
                }
            }
        }
        writeln!(out, "modules: {}", self.store.display())?;
        if let Err(why) = &self.installed {
            writeln!(out, "  cannot be read: {why}")?;
        }
        let rows = self.rows();
        if rows.is_empty() {
            writeln!(out, "  the built-in ones alone")?;
        }
        for Row { name, version, state, why, .. } in rows {
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            writeln!(out, "  {name} {version}: {state}{why}")?;
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let report = self.report();
        let agent = self.agent.as_ref().map(|(pid, _)| {
            json!({
                "pid": pid,
                "version": report.map(|it| &it.version),
                "since": report.map(|it| it.since),
            })
        });
        let policy = report
            .map(|it| json!({ "digest": it.digest, "file": it.files.file.to_string_lossy(), "refused": it.refused }));
        let modules = self.rows().into_iter().map(|row| {
            let digest = Some(row.digest).filter(|digest| !digest.is_empty());
            json!({ "name": row.name, "version": row.version, "digest": digest, "state": row.state, "why": row.why })
        });
        json!({
            "agent": agent,
            "policy": policy,
            "store": self.store.to_string_lossy(),
            "trouble": self.installed.as_ref().err(),
            "modules": modules.collect::<Vec<_>>(),
        })
    }
}

fn serving(module: &ServingModule) -> Row {
    let place =
        if modules::names().contains(&module.name.as_str()) { "in the place of the built-in module, " } else { "" };
    let stage = match module.stage {
        Stage::Proven => "proven".to_owned(),
        Stage::Probation { calls, of } => format!("on probation, {calls} of {of} calls"),
    };
    let (name, version, digest) = (module.name.clone(), module.version.clone(), module.digest.clone());
    Row { name, version, digest, state: format!("serves, {place}{stage}"), why: None }
}

/// Seconds since 1970, for people.
fn time(seconds: u64) -> String {
    rfc3339(UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owner::PolicyFiles;
    use crate::swapping::LeftOut;
    use bulkhead_store::Quarantine;

    fn status(agent: Option<(i32, Option<Report>)>) -> Status {
        let quarantine = Quarantine {
            module: "com.example.bad".to_owned(),
            version: "3".to_owned(),
            reason: "the command __com.example_x failed (unreachable), in call 1 of its probation of 20".to_owned(),
            since: 1_700_000_000,
        };
        let mut installed = State::default();
        installed.quarantine.insert("ee".repeat(32), quarantine);
        Status { agent, store: "/store".into(), installed: Ok(installed) }
    }

    fn report() -> Report {
        let stage = Stage::Probation { calls: 3, of: 20 };
        Report {
            version: "0.1.0".to_owned(),
            since: 1_700_000_000,
            store: "/store".into(),
            modules: vec![ServingModule { name: "file".into(), version: "2".into(), digest: "ab".repeat(32), stage }],
            failed: Vec::new(),
            files: PolicyFiles::of("bulkhead", None),
            digest: "cd".repeat(32),
            reloads: 0,
            refused: Some("policy.toml:1:1: no".to_owned()),
        }
    }

    fn said(status: &Status) -> String {
        let mut out = Vec::new();
        status.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_person_is_told_all_of_it() {
        let text = said(&status(Some((7, Some(report())))));
        assert_eq!(
            text,
            format!(
                "agent: version 0.1.0, process 7, since 2023-11-14T22:13:20.000000Z\n\
                 policy: {} (/etc/bulkhead/policy.toml)\n  the last reload was refused: policy.toml:1:1: no\n\
                 modules: /store\n  file 2: serves, in the place of the built-in module, on probation, 3 of 20 calls\n  \
                 com.example.bad 3: in quarantine since 2023-11-14T22:13:20.000000Z: the command __com.example_x failed \
                 (unreachable), in call 1 of its probation of 20\n",
                "cd".repeat(32)
            )
        );
        assert!(said(&status(None)).starts_with("agent: none runs\nmodules: /store\n"));
    }

    #[test]
    fn a_module_is_told_of_once() {
        let left_out =
            |module: &str, why: &str| LeftOut { module: module.into(), version: "3".into(), why: why.into() };
        let failed =
            vec![left_out("com.example.bad", "it failed (not on record yet)"), left_out("com.example.odd", "why")];
        let text = said(&status(Some((7, Some(Report { failed, ..report() })))));
        assert_eq!(text.matches("com.example.bad").count(), 1, "{text}");
        assert!(text.contains("com.example.odd 3: left out: why"), "{text}");
    }

    #[test]
    fn a_program_is_told_the_same() {
        let json = status(Some((7, Some(report())))).json();
        assert_eq!(json.pointer("/agent/pid"), Some(&json!(7)));
        assert_eq!(json.pointer("/modules/0/digest"), Some(&json!("ab".repeat(32))));
        assert_eq!(json.pointer("/modules/1/name"), Some(&json!("com.example.bad")));
        assert_eq!(json.pointer("/policy/refused"), Some(&json!("policy.toml:1:1: no")));
        assert_eq!(status(None).json().pointer("/agent"), Some(&Value::Null));
    }
}
