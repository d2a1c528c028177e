//! Whether the running agent has taken over what was installed. It does so by itself; this only looks, and tells the person who
//! waits at the terminal.

use super::words::shown;
use crate::running_agent::{configured, is_frozen};
use anyhow::Context;
use bulkhead_broker::policy_files::PolicyFiles;
use bulkhead_host::running::Report;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long to wait for the agent. It reads the store beside its requests, in some milliseconds, and changes modules between
/// two; a request that takes longer than this is not worth waiting for, since the module is installed all the same.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often to look meanwhile.
const LOOK: Duration = Duration::from_millis(10);

/// The agent that may take it over, as it was before.
pub(super) struct Watched {
    statedir: PathBuf,
    /// Nothing if none ran, or if it had said nothing of itself yet.
    before: Option<Report>,
    /// The policy by which the module was judged, as the agent would find it now.
    files: PolicyFiles,
    digest: String,
}

/// What became of a version that was installed.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Serves,
    LeftOut(String),
    AnotherStore(PathBuf),
    Unknown,
}

impl Watched {
    /// The agent with this state directory or, without one, with that of the agent's configuration file.
    pub(super) fn new(statedir: Option<&Path>, files: PolicyFiles, digest: String) -> anyhow::Result<Self> {
        let statedir = match statedir {
            Some(statedir) => statedir.to_owned(),
            None => configured()?.statedir,
        };
        let before = agent(&statedir)?.and_then(|(_, report)| report);
        Ok(Watched { statedir, before, files, digest })
    }

    /// Waits for the agent, but not for long, and says what it has done with this version.
    pub(super) fn wait(self, store: &Path, name: &str, version: &str, digest: &str) -> anyhow::Result<String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let Some((pid, report)) = agent(&self.statedir)? else {
                return Ok(format!(
                    "No agent runs with the state directory {}: the next one has it from its start.",
                    self.statedir.display()
                ));
            };
            let is_over = Instant::now() > end;
            // Why another version of the same name was left out before is no answer, unless no other comes.
            let before = self.before.as_ref().filter(|_| !is_over);
            let outcome = report
                .as_ref()
                .map_or(Outcome::Unknown, |report| outcome(report, before, store, name, version, digest));
            let policy = report.as_ref().and_then(|report| self.other_policy(report)).unwrap_or_default();
            match outcome {
                Outcome::Serves => return Ok(format!("The agent (process {pid}) has taken it over.{policy}")),
                Outcome::LeftOut(why) => {
                    return Ok(format!("The agent (process {pid}) leaves it out: {}{policy}", shown(&why)));
                }
                Outcome::AnotherStore(theirs) => {
                    return Ok(format!(
                        "The agent that runs (process {pid}) does not take it: its modules are in {}.",
                        theirs.display()
                    ));
                }
                Outcome::Unknown if is_frozen(&self.statedir) => {
                    return Ok(format!(
                        "File systems are frozen: the agent (process {pid}) takes it over when they are thawed."
                    ));
                }
                Outcome::Unknown if is_over => {
                    return Ok(format!(
                        "The agent (process {pid}) has not taken it over within {} s: 'bulkhead status' tells when it has, and \
                         its log why not.",
                        PATIENCE.as_secs()
                    ));
                }
                Outcome::Unknown => sleep(LOOK),
            }
        }
    }
}

impl Watched {
    /// What is said where another policy is in force than the one by which the module was judged: its commands may be disabled.
    fn other_policy(&self, report: &Report) -> Option<String> {
        if report.digest == self.digest {
            return None;
        }
        let (ours, theirs) = (self.files.file.display(), report.files.file.display());
        Some(if is_same(&self.files.file, &report.files.file) {
            format!(
                "\nIt was installed by {ours} as it is now, and the agent has an older policy in force: 'bulkhead policy reload' has it \
                 read that."
            )
        } else {
            format!("\nIt was installed by {ours}, and the agent's policy is {theirs}: what it may do is said there.")
        })
    }
}

fn agent(statedir: &Path) -> anyhow::Result<Option<(i32, Option<Report>)>> {
    Report::of_agent(statedir).with_context(|| format!("cannot look into {}", statedir.display()))
}

/// Whether two paths lead to the same thing.
fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// What `report` says of a version. What `before` said already is not news.
fn outcome(report: &Report, before: Option<&Report>, store: &Path, name: &str, version: &str, digest: &str) -> Outcome {
    if !is_same(&report.store, store) {
        return Outcome::AnotherStore(report.store.clone());
    }
    if report.modules.iter().any(|it| it.name == name && it.digest == digest) {
        return Outcome::Serves;
    }
    let is_news = |it: &&bulkhead_host::running::LeftOut| !before.is_some_and(|before| before.failed.contains(it));
    let mut failed = report.failed.iter().filter(|it| it.module == name && it.version == version);
    failed.find(is_news).map_or(Outcome::Unknown, |it| Outcome::LeftOut(it.why.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_host::running::{LeftOut, ServingModule, Stage};

    fn report(serves: Option<&str>, left_out: Option<&str>) -> Report {
        let serving = |digest: &str| ServingModule {
            name: "com.example.x".to_owned(),
            version: "1".to_owned(),
            digest: digest.to_owned(),
            stage: Stage::Proven,
            deaths: 0,
        };
        let failed =
            |why: &str| LeftOut { module: "com.example.x".to_owned(), version: "2".to_owned(), why: why.to_owned() };
        Report {
            in_force: None,
            told: None,
            version: "0.1.0".to_owned(),
            since: 0,
            store: "/no/store".into(),
            modules: serves.map(serving).into_iter().collect(),
            failed: left_out.map(failed).into_iter().collect(),
            files: PolicyFiles::of("bulkhead-agent", None),
            digest: String::new(),
            reloads: 0,
            refused: None,
        }
    }

    fn of(report: &Report, before: Option<&Report>) -> Outcome {
        outcome(report, before, Path::new("/no/store"), "com.example.x", "2", "new")
    }

    #[test]
    fn it_serves_when_its_digest_does() {
        assert_eq!(of(&report(Some("new"), None), None), Outcome::Serves);
        assert_eq!(of(&report(Some("old"), None), None), Outcome::Unknown);
    }

    #[test]
    fn what_was_left_out_before_is_no_answer() {
        let (old, new) = (report(None, Some("it is old")), report(None, Some("it is new")));
        assert_eq!(of(&new, Some(&old)), Outcome::LeftOut("it is new".to_owned()));
        assert_eq!(of(&old, Some(&old)), Outcome::Unknown);
        assert_eq!(of(&old, None), Outcome::LeftOut("it is old".to_owned()));
    }

    #[test]
    fn an_older_policy_is_told_of_and_another_file_too() {
        let watched = |file: Option<&Path>, digest: &str| Watched {
            statedir: "/".into(),
            before: None,
            files: PolicyFiles::of("bulkhead-agent", file),
            digest: digest.to_owned(),
        };
        let report = report(Some("new"), None);
        assert_eq!(watched(None, "").other_policy(&report), None);
        let said = watched(None, "ab").other_policy(&report).unwrap();
        assert!(
            said.contains(
                "policy.toml as it is now, and the agent has an older policy in force: 'bulkhead policy reload'"
            ),
            "{said}"
        );
        let said = watched(Some(Path::new("/mine.toml")), "ab").other_policy(&report).unwrap();
        assert!(
            said.contains("It was installed by /mine.toml, and the agent's policy is /etc/bulkhead/policy.toml"),
            "{said}"
        );
    }

    #[test]
    fn an_agent_with_another_store_is_told_apart() {
        let other = Report { store: "/another".into(), ..report(Some("new"), None) };
        assert_eq!(of(&other, None), Outcome::AnotherStore("/another".into()));
    }
}
