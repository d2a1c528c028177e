//! The options that were given, and the settings they make.

use std::{ffi::OsString, path::PathBuf};

use clap::ArgMatches;

use crate::{config::Config, load::list, options::UsageError};

/// The options that were given.
pub(crate) struct Given(ArgMatches);

impl Given {
    pub(crate) fn new(matches: ArgMatches) -> Self {
        Given(matches)
    }

    /// A list of `help` or `?` is a question and not a list. In the configuration file it is a list.
    pub(crate) fn asks_for_commands(&self) -> bool {
        ["block-rpcs", "allow-rpcs"].into_iter().flat_map(|option| self.values(option)).any(|v| v == "help" || v == "?")
    }

    /// Puts the options on top of what the configuration file says.
    pub(crate) fn apply(&self, config: &mut Config) -> Result<(), UsageError> {
        if let Some(method) = self.text("method")? {
            config.method_name = method;
        }
        if let Some(path) = self.text("path")? {
            config.path = Some(path);
        }
        if let Some(file) = self.text("logfile")? {
            config.logfile = Some(PathBuf::from(file));
        }
        if let Some(file) = self.text("pidfile")? {
            config.pidfile = PathBuf::from(file);
        }
        if let Some(file) = self.text("fsfreeze-hook")? {
            config.fsfreeze_hook = Some(PathBuf::from(file));
        }
        if let Some(dir) = self.text("statedir")? {
            config.statedir = PathBuf::from(dir);
        }
        if let Some(file) = self.text("policy")? {
            config.policy = Some(PathBuf::from(file));
        }
        if let Some(folder) = self.text("module-store")? {
            config.module_store = Some(PathBuf::from(folder));
        }
        if let Some(file) = self.text("audit-file")? {
            config.audit_file = Some(PathBuf::from(file));
        }
        config.audit_journal |= self.flag("audit-journal");
        config.daemonize |= self.flag("daemonize");
        config.verbose |= self.flag("verbose");
        config.retry_path |= self.flag("retry-path");
        for (option, names) in [("block-rpcs", &mut config.block_rpcs), ("allow-rpcs", &mut config.allow_rpcs)] {
            for text in self.values(option) {
                names.extend(list(text.to_str().ok_or_else(|| not_utf8(option))?));
            }
        }
        Ok(())
    }

    pub(crate) fn flag(&self, option: &str) -> bool {
        self.0.get_flag(option)
    }

    /// The argument of an option that was given; of the last one if it was given twice.
    pub(crate) fn value(&self, option: &str) -> Option<&OsString> {
        self.0.get_one(option)
    }

    fn values(&self, option: &str) -> impl Iterator<Item = &OsString> {
        self.0.get_many(option).into_iter().flatten()
    }

    fn text(&self, option: &str) -> Result<Option<String>, UsageError> {
        self.value(option).map(|value| value.clone().into_string().map_err(|_| not_utf8(option))).transpose()
    }
}

fn not_utf8(option: &str) -> UsageError {
    UsageError::NotUtf8 { option: format!("--{option}") }
}
