//! The configuration file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{
    bounds::form,
    config::Config,
    key_file::{KeyFile, KeyFileError, ValueProblem},
    names::{Known, list, suggestion},
    peers::VsockPeers,
};

/// The group in which the settings are kept.
pub(crate) const GROUP: &str = "general";

/// The keys that are read. Every other one is reported, for a key that is not enforced may be a misspelt one.
const KEYS: [&str; 20] = [
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
    "audit-size",
    "audit-rate",
    "log-size",
    "log-rate",
    "vsock-peers",
];

/// What `block-rpcs` was called until QEMU 9.1.
const OLD_BLOCK_KEY: &str = "blacklist";

/// The keys whose values are lists of commands.
const LISTS: [&str; 3] = ["block-rpcs", "allow-rpcs", OLD_BLOCK_KEY];

/// The defaults with what the file at `path` says on top of them. `required` is whether a missing file is an error.
pub(crate) fn load(path: &Path, required: bool, known: &Known<'_>) -> Result<Config, LoadError> {
    let failed = |problem| LoadError { path: path.to_owned(), problem };
    match read(path) {
        Ok(text) => {
            let config =
                KeyFile::parse(text).and_then(|file| settings(&file, known)).map_err(|error| failed(error.into()))?;
            Ok(Config { read_from: Some(path.to_owned()), ..config })
        }
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

fn settings(file: &KeyFile, known: &Known<'_>) -> Result<Config, KeyFileError> {
    let mut config = Config { warnings: warnings(file, known), ..Config::default() };
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
    config.vsock_peers = peers(file)?;
    for (key, _) in config.bounds() {
        if let Some(value) = file.get(GROUP, key)?
            && !config.set_bound(key, value)
        {
            let problem = ValueProblem::Bound { form: form(key), value: value.to_owned() };
            return Err(file.fault(GROUP, key, problem));
        }
    }
    Ok(config)
}

fn peers(file: &KeyFile) -> Result<Option<VsockPeers>, KeyFileError> {
    let wrong = |error| file.fault(GROUP, "vsock-peers", ValueProblem::Peers(error));
    file.get(GROUP, "vsock-peers")?.map(|text| text.parse().map_err(wrong)).transpose()
}

fn warnings(file: &KeyFile, known: &Known<'_>) -> Vec<Warning> {
    let groups = file.groups().filter(|name| *name != GROUP).map(|name| Warning::UnknownGroup(name.to_owned()));
    let keys = file.keys(GROUP).filter(|(key, _)| !KEYS.contains(key)).map(|(key, line)| match key {
        OLD_BLOCK_KEY => Warning::OldBlockKey { line },
        _ => Warning::UnknownKey { key: key.to_owned(), line, meant: suggestion(key, KEYS) },
    });
    let lists = file.keys(GROUP).filter(|(key, _)| LISTS.contains(key));
    let names = lists.flat_map(|(key, line)| {
        // What cannot be read is an error later on.
        let names = list(file.get(GROUP, key).ok().flatten().unwrap_or_default());
        let faults: Vec<_> = names.filter_map(|name| known.name_fault(&name)).collect();
        faults.into_iter().rev().map(move |fault| Warning::Name { key: key.to_owned(), line, fault })
    });
    let repeated = file.repeated(GROUP).filter(|(key, ..)| KEYS.contains(key) || *key == OLD_BLOCK_KEY);
    let repeated = repeated.map(|(key, line, before)| Warning::Repeated { key: key.to_owned(), line, before });
    groups.chain(keys).chain(names).chain(repeated).collect()
}

/// A remark about the configuration that does not keep the agent from starting.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Warning {
    /// Ignored, as `qemu-ga` does; the `daemonize` of its manual's sample is one of these.
    #[error("configuration line {line}: unknown key '{key}' is ignored{meant}")]
    UnknownKey {
        /// The key.
        key: String,
        /// Its line, counted from 1.
        line: usize,
        /// Nothing, or the key that is nearest.
        meant: String,
    },
    /// A list with a word that is not the name of a command. It blocks or allows nothing; `qemu-ga` is silent about it.
    #[error("configuration line {line}, {key}: {fault}")]
    Name {
        /// The key.
        key: String,
        /// Its line, counted from 1.
        line: usize,
        /// What is wrong, as a sentence.
        fault: String,
    },
    /// A list of the command line that was to allow nothing, or whose variable was empty. As to `qemu-ga`, it is not a list.
    #[error("the list of --allow-rpcs is empty, so all commands are allowed: to allow none, name one and block it")]
    EmptyAllowList,
    /// A key that is there again: its last value counts, as to `qemu-ga`. What an earlier list blocks is not blocked.
    #[error("configuration line {line}: '{key}' is there again, and line {before} does not count")]
    Repeated {
        /// The key.
        key: String,
        /// The line that counts, counted from 1.
        line: usize,
        /// The line before it.
        before: usize,
    },
    /// Ignored, as `qemu-ga` does.
    #[error("the word '{word}' belongs to no option and is ignored{}", .hint.map(|hint| format!(": {hint}")).unwrap_or_default())]
    Stray {
        /// The word.
        word: String,
        /// What may have been meant.
        hint: Option<&'static str>,
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

    const KNOWN: Known<'_> =
        Known { command_fault: &|name| (name == "wrong").then(|| "there is no 'wrong'".to_owned()), is_drop_in: true };

    fn read(text: &str) -> Config {
        settings(&KeyFile::parse(text).unwrap(), &KNOWN).unwrap()
    }

    #[test]
    fn every_key_is_read() {
        let text = "[general]\ndaemon=1\nmethod=unix-listen\npath=/p\nlogfile=/l\npidfile=/pf\nfsfreeze-hook=/fh\n\
                    statedir=/sd\nverbose=true\nretry-path=true\nblock-rpcs=a,b\nallow-rpcs=c,d\n\
                    policy=/po\nmodule-store=/ms\naudit-file=/af\naudit-journal=1\naudit-size=1GiB\naudit-rate=0\n\
                    log-size=2KiB\nlog-rate=3\nvsock-peers=2,3\n";
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
            vsock_peers: Some(VsockPeers::These(vec![2, 3])),
            audit_size: Some(1 << 30),
            audit_rate: Some(0),
            log_size: Some(2048),
            log_rate: Some(3),
            read_from: None,
            warnings: vec![],
        };
        assert_eq!(read(text), expected);
    }

    #[test]
    fn a_limit_that_is_not_one_is_an_error() {
        let file = KeyFile::parse("[general]\nlog-rate=5\naudit-size=5MB\n").unwrap();
        let error = settings(&file, &KNOWN).unwrap_err().to_string();
        assert_eq!(error, "line 3: the value of 'audit-size' must be a number, or a size such as 64MiB, not '5MB'");
        let file = KeyFile::parse("[general]\nlog-rate=1MiB\n").unwrap();
        let error = settings(&file, &KNOWN).unwrap_err().to_string();
        assert_eq!(error, "line 2: the value of 'log-rate' must be a number of lines, not '1MiB'");
    }

    #[test]
    fn an_old_block_list_still_blocks_and_is_reported() {
        let config = read("[general]\nblock-rpcs=guest-ping\nblacklist=guest-exec,guest-exec-status\n");
        assert_eq!(config.block_rpcs, ["guest-exec-status", "guest-exec", "guest-ping"]);
        assert_eq!(config.warnings, [Warning::OldBlockKey { line: 3 }]);
    }

    #[test]
    fn what_is_ignored_is_reported() {
        let config = read("[general]\ndaemonize=1\nblock-rpc=x\n[General]\nblock-rpcs=guest-exec\n");
        let said: Vec<_> = config.warnings.iter().map(Warning::to_string).collect();
        assert_eq!(
            said,
            [
                "configuration group [General] is ignored: settings belong to [general]",
                "configuration line 2: unknown key 'daemonize' is ignored",
                "configuration line 3: unknown key 'block-rpc' is ignored, did you mean 'block-rpcs'?"
            ]
        );
        assert!(!config.daemonize && config.block_rpcs.is_empty());
    }

    #[test]
    fn a_name_that_means_nothing_is_reported_with_its_line() {
        let config = read("[general]\nblock-rpcs=a, wrong ,\n\nallow-rpcs=wrong,b\nblacklist=wrong\n");
        assert_eq!(config.block_rpcs, ["wrong", "", "wrong", "a"]);
        let said: Vec<_> = config.warnings.iter().skip(1).map(Warning::to_string).collect();
        assert_eq!(
            said,
            [
                "configuration line 2, block-rpcs: there is no 'wrong'",
                "configuration line 4, allow-rpcs: there is no 'wrong'",
                "configuration line 5, blacklist: there is no 'wrong'"
            ]
        );
    }

    #[test]
    fn a_line_that_does_not_count_is_reported() {
        let config = read("[general]\nblock-rpcs=a,b\npolicy=/a\nallow-rpcs=\npolicy=/b\nblock-rpcs=c\n");
        assert_eq!(config.block_rpcs, ["c"], "as to qemu-ga");
        let said: Vec<_> = config.warnings.iter().map(Warning::to_string).collect();
        assert_eq!(
            said,
            [
                "configuration line 6: 'block-rpcs' is there again, and line 2 does not count",
                "configuration line 5: 'policy' is there again, and line 3 does not count"
            ],
            "an empty allow-rpcs is what -D writes, qemu-ga's and ours"
        );
    }

    #[test]
    fn a_peer_that_is_nobody_is_an_error() {
        let file = KeyFile::parse("[general]\n\nvsock-peers=2,hsot\n").unwrap();
        let error = settings(&file, &KNOWN).unwrap_err().to_string();
        assert!(
            error.starts_with(
                "line 3: the value of 'vsock-peers' is not a list of vsock peers: 'hsot' is not a vsock peer: "
            ),
            "{error}"
        );
    }

    #[test]
    fn a_device_is_no_configuration() {
        let error = load(Path::new("/dev/null"), false, &KNOWN).unwrap_err();
        assert_eq!(error.problem.to_string(), "Not a regular file");
    }
}
