//! What an agent has in force, and how it got it: so that the owner's tools ask the agent and need not guess.

use bulkhead_broker::policy_files::Loaded;
use bulkhead_broker::rulings::Lists;
use bulkhead_broker::{auditing, logging};
use bulkhead_config::{Config, KeyFile};
use std::path::PathBuf;

/// The group in which it stands.
const GROUP: &str = "in force";

/// What an agent has in force besides the digest of its policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InForce {
    /// The name under which it was started: `qemu-ga` or `bulkhead`.
    pub program: String,
    /// Since when it has this policy, in seconds since 1970.
    pub policy_since: u64,
    /// The profile of the policy, if it has one.
    pub profile: Option<String>,
    /// The policy's files; none for a profile alone.
    pub files: Vec<PathBuf>,
    /// The configuration file that it has read, and the SHA-256 of what stood in it.
    pub configuration: Option<(PathBuf, String)>,
    /// The lists of commands.
    pub lists: Lists,
    /// What it has warned of when it started.
    pub warnings: Vec<String>,
    /// Where its audit goes.
    pub audit_file: Option<PathBuf>,
    /// Whether its audit goes to the journal.
    pub audit_journal: bool,
    /// How much the audit may take.
    pub audit_limits: auditing::Limits,
    /// Where its log goes, unless to standard error.
    pub log_file: Option<PathBuf>,
    /// How much the log may take.
    pub log_limits: logging::Limits,
}

impl InForce {
    /// Of an agent that starts under this name.
    pub fn new(program: &str, config: &Config, policy: &Loaded) -> Self {
        let digest = |path: &PathBuf| Some((path.clone(), bulkhead_store::digest::of(&std::fs::read(path).ok()?)));
        let mut in_force = InForce {
            program: if bulkhead_broker::policy_files::is_drop_in(program) { "qemu-ga" } else { "bulkhead-agent" }
                .to_owned(),
            configuration: config.read_from.as_ref().and_then(digest),
            lists: Lists { block: config.block_rpcs.clone(), allow: config.allow_rpcs.clone() },
            warnings: config.warnings.iter().map(ToString::to_string).collect(),
            audit_file: config.audit_file.clone(),
            audit_journal: config.audit_journal,
            audit_limits: audit_limits(config),
            log_file: config.logfile.clone(),
            log_limits: log_limits(config),
            ..InForce::default()
        };
        in_force.take(policy);
        in_force
    }

    /// From now on this policy is in force.
    pub fn take(&mut self, policy: &Loaded) {
        self.policy_since = crate::briefly::now();
        self.profile = policy.policy.profile.map(|profile| profile.name.to_owned());
        self.files.clone_from(&policy.files);
    }

    /// The policy in a few words.
    pub fn policy(&self) -> String {
        let files: Vec<_> = self.files.iter().map(|file| file.display().to_string()).collect();
        match (&self.profile, files.join(", ")) {
            (Some(profile), files) if files.is_empty() => format!("profile {profile}, no file"),
            (Some(profile), files) => format!("{files}, on top of profile {profile}"),
            (None, files) => files,
        }
    }

    pub(super) fn write(&self, file: &mut KeyFile) {
        let mut set = |key: &str, value: &str| file.set(GROUP, key, value);
        set("program", &self.program);
        set("policy-since", &self.policy_since.to_string());
        if let Some(profile) = &self.profile {
            set("profile", profile);
        }
        for (index, path) in self.files.iter().enumerate() {
            set(&format!("file-{index}"), &path.to_string_lossy());
        }
        if let Some((path, digest)) = &self.configuration {
            set("configuration", &path.to_string_lossy());
            set("configuration-digest", digest);
        }
        set("block", &self.lists.block.join(","));
        set("allow", &self.lists.allow.join(","));
        for (index, warning) in self.warnings.iter().enumerate() {
            set(&format!("warning-{index}"), warning);
        }
        for (key, path) in [("audit-file", &self.audit_file), ("log-file", &self.log_file)] {
            if let Some(path) = path {
                set(key, &path.to_string_lossy());
            }
        }
        set("audit-journal", if self.audit_journal { "true" } else { "false" });
        for (key, limit) in [
            ("audit-size", self.audit_limits.size),
            ("audit-rate", self.audit_limits.rate),
            ("log-size", self.log_limits.size),
            ("log-rate", self.log_limits.rate.into()),
        ] {
            set(key, &limit.to_string());
        }
    }

    /// Nothing, if it is not there: another version of the agent says less.
    pub(super) fn read(file: &KeyFile) -> Option<Self> {
        let get = |key: &str| file.get(GROUP, key).ok().flatten().map(str::to_owned);
        let path = |key: &str| get(key).map(PathBuf::from);
        let number = |key: &str| get(key)?.parse::<u64>().ok();
        let all = |key: &str| (0..).map_while(|index| get(&format!("{key}-{index}"))).collect::<Vec<_>>();
        let list = |key: &str| {
            let text = get(key).unwrap_or_default();
            text.split(',').filter(|_| !text.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        Some(InForce {
            program: get("program")?,
            policy_since: number("policy-since")?,
            profile: get("profile"),
            files: all("file").into_iter().map(PathBuf::from).collect(),
            configuration: path("configuration").zip(get("configuration-digest")),
            lists: Lists { block: list("block"), allow: list("allow") },
            warnings: all("warning"),
            audit_file: path("audit-file"),
            audit_journal: file.get_bool(GROUP, "audit-journal").ok()??,
            audit_limits: auditing::Limits { size: number("audit-size")?, rate: number("audit-rate")? },
            log_file: path("log-file"),
            log_limits: logging::Limits { size: number("log-size")?, rate: get("log-rate")?.parse().ok()? },
        })
    }
}

/// What the owner says of the audit's limits.
pub fn audit_limits(config: &Config) -> auditing::Limits {
    let usual = auditing::Limits::default();
    auditing::Limits { size: config.audit_size.unwrap_or(usual.size), rate: config.audit_rate.unwrap_or(usual.rate) }
}

/// What the owner says of the log's limits.
pub fn log_limits(config: &Config) -> logging::Limits {
    let usual = logging::Limits::default();
    let rate = config.log_rate.map_or(usual.rate, |rate| u32::try_from(rate).unwrap_or(u32::MAX));
    logging::Limits { size: config.log_size.unwrap_or(usual.size), rate }
}
