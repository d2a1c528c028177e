//! `bulkhead.run`, a file in the state directory: which agent runs there, and which policy it has in force. It is how the
//! owner's tools find the agent, and how they hear what became of a reload.
//!
//! The agent holds a lock on it as long as it runs, and the kernel tells whose lock it is: nobody is told to read a policy
//! again because he happens to have a number that an agent had once.

mod in_force;
mod told;

pub use in_force::{InForce, audit_limits, log_limits};
pub use told::Told;

use crate::briefly::now;
use bulkhead_broker::policy_files::{Loaded, PolicyFiles};
use bulkhead_config::{KeyFile, PidFile, PidFileError};
use bulkhead_policy::Profile;
use std::cell::{Ref, RefCell};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

const GROUP: &str = "running";

/// What an agent says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its version.
    pub version: String,
    /// When it started, in seconds since 1970.
    pub since: u64,
    /// Where it looks for installed modules.
    pub store: PathBuf,
    /// Those that serve.
    pub modules: Vec<ServingModule>,
    /// Those that do not, though the owner wants them to.
    pub failed: Vec<LeftOut>,
    /// Where it looks for its policy.
    pub files: PolicyFiles,
    /// The digest of the policy in force.
    pub digest: String,
    /// How often it was told to read the policy again, and has tried.
    pub reloads: u64,
    /// Why the last time was in vain.
    pub refused: Option<String>,
    /// What else it has in force; nothing of an agent of a version that does not say so.
    pub in_force: Option<InForce>,
    /// Its figures, when it was asked last; nothing of an agent that cannot be asked.
    pub told: Option<Told>,
}

/// An installed module that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServingModule {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of its component, in hexadecimal.
    pub digest: String,
    /// Whether it is watched.
    pub stage: Stage,
    /// In how many of its calls agents have ended.
    pub deaths: usize,
}

/// How far a version of a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is watched.
    Probation {
        /// Good calls so far.
        calls: u32,
        /// How many end the probation.
        of: u32,
    },
    /// It has come through its probation.
    Proven,
}

/// The running agent's side: the file, written and locked.
#[derive(Debug)]
pub struct Running(PidFile);

/// A version of a module that does not serve, though the owner wants it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The module.
    pub module: String,
    /// Its version.
    pub version: String,
    /// Why, in one sentence.
    pub why: String,
}

impl Report {
    /// Of an agent that has just started.
    pub fn new(files: PolicyFiles, loaded: &Loaded, store: PathBuf, in_force: InForce) -> Self {
        Report {
            version: crate::VERSION.to_owned(),
            since: now(),
            store,
            modules: Vec::new(),
            failed: Vec::new(),
            files,
            digest: loaded.digest.clone(),
            reloads: 0,
            refused: None,
            in_force: Some(in_force),
            told: Some(Told::default()),
        }
    }

    fn text(&self) -> String {
        let mut file = KeyFile::default();
        for (index, module) in self.modules.iter().enumerate() {
            let mut set = |key, value: &str| file.set(&format!("module {index}"), key, value);
            set("name", &module.name);
            set("version", &module.version);
            set("digest", &module.digest);
            if let Stage::Probation { calls, of } = module.stage {
                set("calls", &calls.to_string());
                set("of", &of.to_string());
            }
            if module.deaths > 0 {
                set("deaths", &module.deaths.to_string());
            }
        }
        for (index, failed) in self.failed.iter().enumerate() {
            let mut set = |key, value: &str| file.set(&format!("failed {index}"), key, value);
            set("name", &failed.module);
            set("version", &failed.version);
            set("why", &failed.why);
        }
        if let Some(in_force) = &self.in_force {
            in_force.write(&mut file);
        }
        if let Some(told) = &self.told {
            told.write(&mut file);
        }
        let mut set = |key, value: &str| file.set(GROUP, key, value);
        set("version", &self.version);
        set("since", &self.since.to_string());
        set("store", &self.store.to_string_lossy());
        set("pid", &std::process::id().to_string());
        set("policy", &self.files.file.to_string_lossy());
        set("required", if self.files.required { "true" } else { "false" });
        set("profile", self.files.fallback.name);
        set("digest", &self.digest);
        if let Some(why) = &self.refused {
            set("refused", why);
        }
        // The last line: a text that has it is whole.
        set("reloads", &self.reloads.to_string());
        file.to_string()
    }

    /// Nothing if the text is none of ours, or is being written.
    fn read(text: &str) -> Option<Self> {
        // Behind the last line an older, longer text may still stand.
        let last = text.find("\nreloads=")? + 1;
        let end = text[last..].find('\n').map_or(text.len(), |length| last + length);
        let file = KeyFile::parse(&text[..end]).ok()?;
        let (mut modules, mut failed) = (Vec::new(), Vec::new());
        for group in file.groups() {
            let get = |key| file.get(group, key).ok().flatten().map(str::to_owned);
            if group.starts_with("module ") {
                let stage = match (get("calls"), get("of")) {
                    (Some(calls), Some(of)) => Stage::Probation { calls: calls.parse().ok()?, of: of.parse().ok()? },
                    _ => Stage::Proven,
                };
                modules.push(ServingModule {
                    name: get("name")?,
                    version: get("version")?,
                    digest: get("digest")?,
                    stage,
                    deaths: get("deaths").map_or(Ok(0), |text| text.parse()).ok()?,
                });
            } else if group.starts_with("failed ") {
                failed.push(LeftOut { module: get("name")?, version: get("version")?, why: get("why")? });
            }
        }
        let get = |key| file.get(GROUP, key).ok().flatten();
        Some(Report {
            version: get("version")?.to_owned(),
            since: get("since")?.parse().ok()?,
            store: get("store")?.into(),
            modules,
            failed,
            files: PolicyFiles {
                file: get("policy")?.into(),
                required: file.get_bool(GROUP, "required").ok()??,
                fallback: Profile::named(get("profile")?)?,
            },
            digest: get("digest")?.to_owned(),
            reloads: get("reloads")?.parse().ok()?,
            refused: get("refused").map(str::to_owned),
            in_force: InForce::read(&file),
            told: Told::read(&file),
        })
    }

    /// What the agent that runs with this state directory says of itself, and its process; nothing if none runs.
    pub fn of_agent(statedir: &Path) -> io::Result<Option<(i32, Option<Report>)>> {
        let path = path(statedir);
        let Some(pid) = PidFile::holder(&path)? else { return Ok(None) };
        Ok(Some((pid, Report::read(&fs::read_to_string(path)?))))
    }
}

/// What the agent says of itself, for all its parts that have something to say.
#[derive(Clone, Debug)]
pub struct Announced(Rc<RefCell<(Report, Option<Running>)>>);

impl Announced {
    /// Not told to anybody yet.
    pub fn new(report: Report) -> Self {
        Announced(Rc::new(RefCell::new((report, None))))
    }

    /// From now on it stands in the state directory. While file systems are frozen, wait: it is written to a disk.
    pub fn begin(&self, statedir: &Path) {
        let (report, running) = &mut *self.0.borrow_mut();
        match Running::begin(statedir, report) {
            Ok(begun) => *running = Some(begun),
            Err(error) => tracing::warn!("the owner's tools will not find this agent: {error}"),
        }
    }

    /// Says something else. Not while file systems are frozen.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Report)) {
        let (report, running) = &mut *self.0.borrow_mut();
        change(report);
        if let Some(running) = running {
            running.tell(report);
        }
    }

    /// Looks at what is said.
    pub(crate) fn report(&self) -> Ref<'_, Report> {
        Ref::map(self.0.borrow(), |(report, _)| report)
    }
}

impl Running {
    /// Tells that this process is the agent. While file systems are frozen, wait: it is written to a disk.
    fn begin(statedir: &Path, report: &Report) -> Result<Self, PidFileError> {
        let mut running = Running(PidFile::create(path(statedir))?);
        running.tell(report);
        Ok(running)
    }

    /// Tells something new.
    fn tell(&mut self, report: &Report) {
        if let Err(error) = self.0.replace(&report.text()) {
            tracing::warn!("cannot tell the owner's tools how the agent is: {error}");
        }
    }
}

fn path(statedir: &Path) -> PathBuf {
    statedir.join("bulkhead.run")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_broker::auditing::Figures;
    use bulkhead_broker::rulings::Lists;

    fn report() -> Report {
        let module = |name: &str, stage| ServingModule {
            name: name.to_owned(),
            version: "1.2 [x]".to_owned(),
            digest: "cd".repeat(32),
            stage,
            deaths: name.len() % 2,
        };
        Report {
            version: "0.1.0".to_owned(),
            since: 1_700_000_000,
            store: "/var/lib/bulkhead/modules".into(),
            modules: vec![
                module("com.example.backup", Stage::Probation { calls: 3, of: 20 }),
                module("file", Stage::Proven),
            ],
            failed: vec![LeftOut {
                module: "com.example.other".to_owned(),
                version: "2".to_owned(),
                why: "it does\nnot = fit".to_owned(),
            }],
            files: PolicyFiles::of("qemu-ga", Some(Path::new("/etc/a policy=\n.toml"))),
            digest: "ab".repeat(32),
            reloads: 12,
            refused: Some("policy.toml:1:1: 'x'\nis not y".to_owned()),
            in_force: Some(InForce {
                program: "qemu-ga".to_owned(),
                profile: Some("full".to_owned()),
                files: vec!["/etc/a=b".into(), "/etc/policy.d/c.toml".into()],
                configuration: Some(("/etc/qemu/qemu-ga.conf".into(), "ef".repeat(32))),
                lists: Lists { block: vec!["a".to_owned(), "b c".to_owned()], allow: Vec::new() },
                warnings: vec!["'x'\nis unknown".to_owned()],
                audit_file: Some("/var/log/a".into()),
                audit_journal: true,
                ..InForce::default()
            }),
            told: Some(Told {
                number: 3,
                audit: Some(Figures { written: 1, repeated: 2, left_out: 3, lost: 4, failing: true }),
                programs: bulkhead_broker::children::Figures { known: 5, held: 6, most: 7 },
                ..Told::default()
            }),
        }
    }

    #[test]
    fn what_an_agent_says_is_read_again() {
        let mut report = report();
        assert_eq!(Report::read(&report.text()).as_ref(), Some(&report));
        (report.refused, report.modules, report.failed) = (None, Vec::new(), Vec::new());
        (report.in_force, report.told) = (None, None);
        assert_eq!(Report::read(&report.text()).as_ref(), Some(&report));
    }

    #[test]
    fn half_a_text_is_nothing() {
        let text = report().text();
        let whole = text.rfind("reloads=").unwrap() + "reloads=1".len();
        for length in (0..whole).filter(|length| text.is_char_boundary(*length)) {
            assert_eq!(Report::read(&text[..length]), None, "{length}");
        }
    }

    #[test]
    fn what_is_left_of_a_longer_text_does_not_count() {
        let long = report();
        let short = Report { modules: Vec::new(), failed: Vec::new(), refused: None, ..long.clone() };
        let (text, old) = (short.text(), long.text());
        assert_eq!(Report::read(&format!("{text}{}", &old[text.len()..])), Some(short));
    }
}
