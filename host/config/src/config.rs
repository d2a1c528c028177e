//! The result: what the agent was told to do.

use std::path::PathBuf;

use thiserror::Error;

use crate::{
    load::Warning,
    method::{Method, UnsupportedMethod},
    peers::VsockPeers,
};

/// Read at every start unless `--config` or the environment variable `QGA_CONF` names another file.
pub const DEFAULT_CONFIG: &str = "/etc/qemu/qemu-ga.conf";
/// The pid file of a daemonized agent.
pub const DEFAULT_PIDFILE: &str = "/var/run/qemu-ga.pid";
/// The folder in which the handle counter and the frozen mark survive a restart.
pub const DEFAULT_STATEDIR: &str = "/var/run";
/// The program run before a freeze and after a thaw when `-F` names none.
pub const DEFAULT_FSFREEZE_HOOK: &str = "/etc/qemu/fsfreeze-hook";

/// The agent's settings: the defaults, then the configuration file, then the command line.
///
/// Every text came through [`parse`](crate::parse) as UTF-8, the only encoding that a configuration file can express.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Go to the background once the channel is open, and write the pid file.
    pub daemonize: bool,
    /// The method's name as given, perhaps an unknown one; see [`Config::method`].
    pub method_name: String,
    /// Device, socket path or vsock address as given; see [`Config::channel_path`].
    pub path: Option<String>,
    /// Who may connect to a vsock socket; `None` is the host alone.
    pub vsock_peers: Option<VsockPeers>,
    /// The log, opened for appending; `None` is stderr.
    pub logfile: Option<PathBuf>,
    /// The pid file; only written when daemonizing.
    pub pidfile: PathBuf,
    /// The folder for what survives a restart; it must exist.
    pub statedir: PathBuf,
    /// The program run before a freeze and after a thaw; `None` is no hook.
    pub fsfreeze_hook: Option<PathBuf>,
    /// Log every level, not errors and warnings alone.
    pub verbose: bool,
    /// Open the channel again after an error that may pass, and wait for a path that is missing at start.
    pub retry_path: bool,
    /// Commands that are refused. The order means nothing but is kept for [`dump`](crate::dump): each list that was
    /// given is reversed in itself, and the lists follow each other. A name that no command
    /// has is reported, and means nothing.
    pub block_rpcs: Vec<String>,
    /// If not empty, the only commands that are not refused; [`block_rpcs`](Self::block_rpcs) is stronger. Same order.
    pub allow_rpcs: Vec<String>,
    /// The owner's policy, which must be there if it is named; `None` is the default place, where it need not be.
    pub policy: Option<PathBuf>,
    /// Where guest modules are installed; `None` is the default place, where nothing need be.
    pub module_store: Option<PathBuf>,
    /// The audit's file; `None` is none.
    pub audit_file: Option<PathBuf>,
    /// Send the audit to the journal of systemd.
    pub audit_journal: bool,
    /// How long the audit's file may grow, in bytes; 0 is without a limit, `None` the agent's own choice. So are the next three.
    pub audit_size: Option<u64>,
    /// How many bytes of each kind of line it may get in a minute.
    pub audit_rate: Option<u64>,
    /// How long the log's file may grow, in bytes.
    pub log_size: Option<u64>,
    /// How many lines one place in the program may log in a minute.
    pub log_rate: Option<u64>,
    /// The configuration file, if there is one.
    pub read_from: Option<PathBuf>,
    /// What the configuration file or a word of the command line says in vain or in an old way. For the log: a start must
    /// not fail over it.
    pub warnings: Vec<Warning>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            daemonize: false,
            method_name: Method::VirtioSerial.name().to_owned(),
            path: None,
            vsock_peers: None,
            logfile: None,
            pidfile: DEFAULT_PIDFILE.into(),
            statedir: DEFAULT_STATEDIR.into(),
            fsfreeze_hook: None,
            verbose: false,
            retry_path: false,
            block_rpcs: Vec::new(),
            allow_rpcs: Vec::new(),
            policy: None,
            module_store: None,
            audit_file: None,
            audit_journal: false,
            audit_size: None,
            audit_rate: None,
            log_size: None,
            log_rate: None,
            read_from: None,
            warnings: Vec::new(),
        }
    }
}

impl Config {
    /// The method by which the channel is to be opened.
    pub fn method(&self) -> Result<Method, UnsupportedMethod> {
        self.method_name.parse()
    }

    /// The path that was given, or else the method's default.
    ///
    /// An error for a listening or an unknown method without a path. [`parse`](crate::parse) has already reported it,
    /// unless a listening socket was passed at start ([`passed_sockets`](crate::passed_sockets)): then neither method
    /// nor path is used.
    pub fn channel_path(&self) -> Result<&str, MissingPath> {
        self.path
            .as_deref()
            .or_else(|| self.method().ok().and_then(Method::default_path))
            .ok_or_else(|| MissingPath { method: self.method_name.clone() })
    }
}

/// A method that has no default path was chosen without a path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("must specify a path for this channel: method '{method}' has no default, give one with --path")]
pub struct MissingPath {
    /// The method's name as given.
    pub method: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(method: &str, path: Option<&str>) -> Config {
        Config { method_name: method.to_owned(), path: path.map(str::to_owned), ..Config::default() }
    }

    #[test]
    fn serial_methods_have_a_default_path() {
        assert_eq!(Config::default().channel_path(), Ok("/dev/virtio-ports/org.qemu.guest_agent.0"));
        assert_eq!(with("isa-serial", None).channel_path(), Ok("/dev/ttyS0"));
        assert_eq!(with("isa-serial", Some("/dev/ttyS1")).channel_path(), Ok("/dev/ttyS1"));
    }

    #[test]
    fn an_empty_path_was_given_and_is_not_replaced() {
        assert_eq!(with("virtio-serial", Some("")).channel_path(), Ok(""));
    }

    #[test]
    fn other_methods_need_a_path() {
        for method in ["unix-listen", "vsock-listen", "bogus"] {
            let error = with(method, None).channel_path().unwrap_err();
            assert!(error.to_string().starts_with("must specify a path for this channel"), "{error}");
            assert_eq!(with(method, Some("/x")).channel_path(), Ok("/x"));
        }
    }
}
