//! The options that were given, and the settings they make.

use std::{ffi::OsString, path::PathBuf};

use clap::ArgMatches;

use crate::{
    config::Config,
    load::Warning,
    names::{Known, list},
    options::UsageError,
};

/// The options that take lists of commands.
const LISTS: [&str; 2] = ["block-rpcs", "allow-rpcs"];

/// Words that call a tool of the owner's, as long as they are given to the right program.
const TOOLS: [&str; 4] = ["policy", "module", "status", "audit"];

/// The options that were given.
pub(crate) struct Given(ArgMatches);

impl Given {
    pub(crate) fn new(matches: ArgMatches) -> Self {
        Given(matches)
    }

    /// A list of `help` or `?` is a question and not a list. In the configuration file it is a list.
    pub(crate) fn asks_for_commands(&self) -> bool {
        LISTS.into_iter().flat_map(|option| self.values(option)).any(|v| v == "help" || v == "?")
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
        if let Some(peers) = self.text("vsock-peers")? {
            config.vsock_peers = Some(peers.parse()?);
        }
        for (option, _) in config.bounds() {
            if let Some(value) = self.text(option)?
                && !config.set_bound(option, &value)
            {
                return Err(UsageError::Bound { option: format!("--{option}"), value });
            }
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

    /// Whether each word means something.
    ///
    /// A word that means nothing is worse than an option that does not exist when it was to restrict something: the agent
    /// would run, and nobody would know that it allows more than it was told. A program that stands in for `qemu-ga` takes
    /// other words for nothing, as `qemu-ga` does, with a warning.
    pub(crate) fn check(&self, config: &mut Config, known: &Known<'_>) -> Result<(), UsageError> {
        for option in LISTS {
            for text in self.values(option) {
                self.check_list(option, &text.to_string_lossy(), config, known)?;
            }
        }
        // The service manager makes an empty word of a variable in braces that is empty.
        for word in self.values("ignored").filter(|word| !word.is_empty()) {
            let stray = self.stray(word.to_string_lossy().into_owned());
            match stray {
                UsageError::Stray { word, hint } if known.is_drop_in && !self.has_lists() => {
                    config.warnings.push(Warning::Stray { word, hint });
                }
                stray => return Err(stray),
            }
        }
        Ok(())
    }

    fn check_list(&self, option: &str, text: &str, config: &mut Config, known: &Known<'_>) -> Result<(), UsageError> {
        if text.trim().is_empty() && option == "allow-rpcs" {
            config.warnings.push(Warning::EmptyAllowList);
        }
        match list(text).find_map(|name| known.name_fault(&name)) {
            Some(fault) => Err(UsageError::Name { option: format!("--{option}"), fault }),
            None => Ok(()),
        }
    }

    fn has_lists(&self) -> bool {
        LISTS.into_iter().any(|option| self.values(option).next().is_some())
    }

    /// What is wrong with a word that belongs to no option.
    fn stray(&self, word: String) -> UsageError {
        let hint = if TOOLS.contains(&&*word) {
            Some("the tools are another program, 'bulkhead'")
        } else if self.has_lists() {
            Some("the names of a list have commas between them, and no spaces")
        } else if self.value("fsfreeze-hook").is_some() {
            Some("the argument of -F must be attached, as in -F/path/to/hook")
        } else {
            None
        };
        UsageError::Stray { word, hint }
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
