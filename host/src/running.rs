//! `bulkhead.run`, a file in the state directory: which agent runs there, and which policy it has in force. It is how the
//! owner's tools find the agent, and how they hear what became of a reload.
//!
//! The agent holds a lock on it as long as it runs, and the kernel tells whose lock it is: nobody is told to read a policy
//! again because he happens to have a number that an agent had once.

use crate::owner::{Loaded, PolicyFiles};
use bulkhead_config::{KeyFile, PidFile, PidFileError};
use bulkhead_policy::Profile;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const GROUP: &str = "running";

/// What an agent says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Where it looks for its policy.
    pub files: PolicyFiles,
    /// The digest of the policy in force.
    pub digest: String,
    /// How often it was told to read the policy again, and has tried.
    pub reloads: u64,
    /// Why the last time was in vain.
    pub refused: Option<String>,
}

/// The running agent's side: the file, written and locked.
#[derive(Debug)]
pub struct Running(PidFile);

impl Report {
    /// Of an agent that has just started.
    pub fn new(files: PolicyFiles, loaded: &Loaded) -> Self {
        Report { files, digest: loaded.digest.clone(), reloads: 0, refused: None }
    }

    fn text(&self) -> String {
        let mut file = KeyFile::default();
        let mut set = |key, value: &str| file.set(GROUP, key, value);
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
        let file = KeyFile::parse(text).ok()?;
        let get = |key| file.get(GROUP, key).ok().flatten();
        Some(Report {
            files: PolicyFiles {
                file: get("policy")?.into(),
                required: file.get_bool(GROUP, "required").ok()??,
                fallback: Profile::named(get("profile")?)?,
            },
            digest: get("digest")?.to_owned(),
            reloads: get("reloads")?.parse().ok()?,
            refused: get("refused").map(str::to_owned),
        })
    }

    /// What the agent that runs with this state directory says of itself, and its process; nothing if none runs.
    pub fn of_agent(statedir: &Path) -> io::Result<Option<(i32, Option<Report>)>> {
        let path = path(statedir);
        let Some(pid) = PidFile::holder(&path)? else { return Ok(None) };
        Ok(Some((pid, Report::read(&fs::read_to_string(path)?))))
    }
}

impl Running {
    /// Tells that this process is the agent. While file systems are frozen, wait: it is written to a disk.
    pub fn begin(statedir: &Path, report: &Report) -> Result<Self, PidFileError> {
        let mut running = Running(PidFile::create(path(statedir))?);
        running.tell(report);
        Ok(running)
    }

    /// Tells something new.
    pub fn tell(&mut self, report: &Report) {
        if let Err(error) = self.0.replace(&report.text()) {
            tracing::warn!("cannot tell the owner's tools which policy is in force: {error}");
        }
    }
}

fn path(statedir: &Path) -> PathBuf {
    statedir.join("bulkhead.run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_says_is_read_again() {
        let files = PolicyFiles::of("qemu-ga", Some(Path::new("/etc/a policy=\n.toml")));
        let mut report = Report { files, digest: "ab".repeat(32), reloads: 3, refused: None };
        assert_eq!(Report::read(&report.text()).as_ref(), Some(&report));
        report.refused = Some("policy.toml:1:1: 'x'\nis not y".to_owned());
        assert_eq!(Report::read(&report.text()).as_ref(), Some(&report));
    }

    #[test]
    fn half_a_text_is_nothing() {
        let files = PolicyFiles::of("bulkhead", None);
        let report = Report { files, digest: "ab".repeat(32), reloads: 12, refused: None };
        let text = report.text();
        let whole = text.rfind("reloads=").unwrap() + "reloads=1".len();
        for length in (0..whole).filter(|length| text.is_char_boundary(*length)) {
            assert_eq!(Report::read(&text[..length]), None, "{length}");
        }
    }
}
