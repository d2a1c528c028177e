//! The configuration file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{
    config::Config,
    key_file::{KeyFile, KeyFileError},
};

/// The group in which the settings are kept.
pub(crate) const GROUP: &str = "general";

/// The keys that are read. Every other one is reported, for a key that is not enforced may be a misspelt one.
const KEYS: [&str; 15] = [
    "daemon",
    "method",
    "path",
    "logfile",
    "pidfile",
    "fsfreeze-hook",
    "statedir",
    "verbose",
    "retry-path",
    "block-rpcs",
    "allow-rpcs",
    "policy",
    "module-store",
    "audit-file",
    "audit-journal",
];

/// What `block-rpcs` was called until QEMU 9.1.
const OLD_BLOCK_KEY: &str = "blacklist";

/// The defaults with what the file at `path` says on top of them. `required` is whether a missing file is an error.
pub(crate) fn load(path: &Path, required: bool) -> Result<Config, LoadError> {
    let failed = |problem| LoadError { path: path.to_owned(), problem };
    match read(path) {
        Ok(text) => KeyFile::parse(text).and_then(|file| settings(&file)).map_err(|error| failed(error.into())),
        Err(LoadProblem::Read(error)) if error.kind() == io::ErrorKind::NotFound && !required => Ok(Config::default()),
        Err(problem) => Err(failed(problem)),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, LoadProblem> {
    // Asked before opening: to open a FIFO would wait for a writer.
    if !fs::metadata(path)?.is_file() {
        return Err(LoadProblem::NotARegularFile);
    }
    Ok(fs::read(path)?)
}

fn settings(file: &KeyFile) -> Result<Config, KeyFileError> {
    let mut config = Config { warnings: warnings(file), ..Config::default() };
    let text = |key| Ok::<_, KeyFileError>(file.get(GROUP, key)?.map(str::to_owned));
    let path = |key| Ok::<_, KeyFileError>(file.get(GROUP, key)?.map(PathBuf::from));
    let boolean = |key| Ok::<_, KeyFileError>(file.get_bool(GROUP, key)?.unwrap_or(false));

    config.daemonize = boolean("daemon")?;
    config.method_name = text("method")?.unwrap_or(config.method_name);
    config.path = text("path")?;
    config.logfile = path("logfile")?;
    config.pidfile = path("pidfile")?.unwrap_or(config.pidfile);
    config.fsfreeze_hook = path("fsfreeze-hook")?;
    config.statedir = path("statedir")?.unwrap_or(config.statedir);
    config.verbose = boolean("verbose")?;
    config.retry_path = boolean("retry-path")?;
    for key in [OLD_BLOCK_KEY, "block-rpcs"] {
        config.block_rpcs.extend(list(file.get(GROUP, key)?.unwrap_or("")));
    }
    config.allow_rpcs.extend(list(file.get(GROUP, "allow-rpcs")?.unwrap_or("")));
    config.policy = path("policy")?;
    config.module_store = path("module-store")?;
    config.audit_file = path("audit-file")?;
    config.audit_journal = boolean("audit-journal")?;
    Ok(config)
}

/// The names of a comma separated list, last one first (see [`Config::block_rpcs`]). A space is part of a name, and
/// between two commas is an empty one, which no command has.
pub(crate) fn list(text: &str) -> impl Iterator<Item = String> {
    text.rsplit(',').filter(move |_| !text.is_empty()).map(str::to_owned)
}

fn warnings(file: &KeyFile) -> Vec<Warning> {
    let groups = file.groups().filter(|name| *name != GROUP).map(|name| Warning::UnknownGroup(name.to_owned()));
    let keys = file.keys(GROUP).filter(|(key, _)| !KEYS.contains(key)).map(|(key, line)| match key {
        OLD_BLOCK_KEY => Warning::OldBlockKey { line },
        _ => Warning::UnknownKey { key: key.to_owned(), line },
    });
    groups.chain(keys).collect()
}

/// A remark about the configuration file that is no reason not to start.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Warning {
    /// Ignored, as `qemu-ga` does; the `daemonize` of its manual's sample is one of these.
    #[error("configuration line {line}: unknown key '{key}' is ignored")]
    UnknownKey {
        /// The key.
        key: String,
        /// Its line, counted from 1.
        line: usize,
    },
    /// Ignored with all its keys, as `qemu-ga` does.
    #[error("configuration group [{0}] is ignored: settings belong to [general]")]
    UnknownGroup(String),
    /// Honoured. `qemu-ga` has ignored it silently since 9.1, so an upgrade left VMs with commands their owners had
    /// blocked; we would rather read an old word than open a door.
    #[error("configuration line {line}: 'blacklist' is an old name and is honoured; write 'block-rpcs'")]
    OldBlockKey {
        /// Its line, counted from 1.
        line: usize,
    },
}

/// The configuration file cannot be used.
#[derive(Debug, Error)]
#[error("error loading configuration from path: {}", .path.display())]
pub struct LoadError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub problem: LoadProblem,
}

/// What is wrong with a configuration file.
#[derive(Debug, Error)]
pub enum LoadProblem {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// A folder, a device or a FIFO.
    #[error("Not a regular file")]
    NotARegularFile,
    /// The file can be read but not understood.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Config {
        settings(&KeyFile::parse(text).unwrap()).unwrap()
    }

    #[test]
    fn every_key_is_read() {
        let text = "[general]\ndaemon=1\nmethod=unix-listen\npath=/p\nlogfile=/l\npidfile=/pf\nfsfreeze-hook=/fh\n\
                    statedir=/sd\nverbose=true\nretry-path=true\nblock-rpcs=a,b\nallow-rpcs=c,d\n\
                    policy=/po\nmodule-store=/ms\naudit-file=/af\naudit-journal=1\n";
        assert_eq!(KEYS.len(), text.lines().count() - 1);
        let expected = Config {
            daemonize: true,
            method_name: "unix-listen".to_owned(),
            path: Some("/p".to_owned()),
            logfile: Some("/l".into()),
            pidfile: "/pf".into(),
            statedir: "/sd".into(),
            fsfreeze_hook: Some("/fh".into()),
            verbose: true,
            retry_path: true,
            block_rpcs: vec!["b".to_owned(), "a".to_owned()],
            allow_rpcs: vec!["d".to_owned(), "c".to_owned()],
            policy: Some("/po".into()),
            module_store: Some("/ms".into()),
            audit_file: Some("/af".into()),
            audit_journal: true,
            warnings: vec![],
        };
        assert_eq!(read(text), expected);
    }

    #[test]
    fn an_old_block_list_still_blocks_and_is_reported() {
        let config = read("[general]\nblock-rpcs=guest-ping\nblacklist=guest-exec,guest-exec-status\n");
        assert_eq!(config.block_rpcs, ["guest-exec-status", "guest-exec", "guest-ping"]);
        assert_eq!(config.warnings, [Warning::OldBlockKey { line: 3 }]);
    }

    #[test]
    fn what_is_ignored_is_reported() {
        let config = read("[general]\ndaemonize=1\n[General]\nblock-rpcs=guest-exec\n");
        let said: Vec<_> = config.warnings.iter().map(Warning::to_string).collect();
        assert_eq!(
            said,
            [
                "configuration group [General] is ignored: settings belong to [general]",
                "configuration line 2: unknown key 'daemonize' is ignored"
            ]
        );
        assert!(!config.daemonize && config.block_rpcs.is_empty());
    }

    #[test]
    fn lists_are_cut_at_every_comma() {
        let names = |text| list(text).collect::<Vec<_>>();
        assert_eq!(names("a,b c;d"), ["b c;d", "a"]);
        assert_eq!(names("a,,"), ["", "", "a"]);
        assert!(names("").is_empty());
    }

    #[test]
    fn a_device_is_no_configuration() {
        let error = load(Path::new("/dev/null"), false).unwrap_err();
        assert_eq!(error.problem.to_string(), "Not a regular file");
    }
}
