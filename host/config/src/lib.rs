//! What the person who starts the agent decides: the command line, the configuration file, the pid file.
//!
//! The names, defaults and manners are those of `qemu-ga`, so that its units, scripts and configuration files go on
//! working. [`parse`] is the way in; everything else is a step on the way:
//!
//! ```text
//! words of the command line
//!   1 getopt        written the way clap reads them, with getopt's meaning
//!   2 options       clap's definition of the options; its errors become UsageError
//!   3 load          the configuration file, a KeyFile, fills a Config first
//!   4 given         the options go on top of it, and an Action comes out
//! ```
//!
//! This crate opens two files, the configuration file and the pid file, and nothing else. It prints nothing and never
//! ends the process: the binary does, with exit status 1 for every error of this crate.

mod activation;
mod bounds;
mod command_line;
mod config;
mod dump;
mod getopt;
mod given;
mod help;
mod key_file;
mod load;
mod method;
mod names;
mod options;
mod peers;
mod pid_file;

pub use activation::passed_sockets;
pub use command_line::{Action, CliError, parse};
pub use config::{Config, DEFAULT_CONFIG, DEFAULT_FSFREEZE_HOOK, DEFAULT_PIDFILE, DEFAULT_STATEDIR, MissingPath};
pub use dump::dump;
pub use key_file::{KeyFile, KeyFileError, ValueProblem};
pub use load::{LoadError, LoadProblem, Warning};
pub use method::{Method, UnsupportedMethod};
pub use names::Known;
pub use options::UsageError;
pub use peers::{PeersError, VsockPeers};
pub use pid_file::{PidFile, PidFileError};
