//! Which agent, policy and store a tool is about: the options that all of them have.

use crate::running_agent::configured;
use bulkhead_broker::policy_files::PolicyFiles;
use bulkhead_host::running::Report;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Which store is meant.
#[derive(Clone, Debug, Args)]
pub(crate) struct Where {
    /// The folder where modules are installed.
    #[arg(long, global = true, value_name = "DIR", default_value = bulkhead_store::DEFAULT_STORE, help_heading = "Where")]
    pub(crate) store: PathBuf,
    /// The folder with the keys of those whose modules may be installed.
    #[arg(long, global = true, value_name = "DIR", default_value = bulkhead_store::DEFAULT_KEYS, help_heading = "Where")]
    pub(crate) keys: PathBuf,
    /// The program that compiles modules. Without: bulkhead-compile beside this program, or in /usr/libexec/bulkhead.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Where")]
    pub(crate) compiler: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) whose: Whose,
}

/// Which policy is meant, and which modules are there.
#[derive(Clone, Debug, Args)]
pub(crate) struct Which {
    /// The folder where modules are installed, whose commands the policy speaks of.
    #[arg(long, global = true, value_name = "DIR", default_value = bulkhead_store::DEFAULT_STORE, help_heading = "Which policy")]
    pub(crate) store: PathBuf,
    #[command(flatten)]
    pub(crate) whose: Whose,
}

/// Whose policy is meant.
#[derive(Clone, Debug, Args)]
pub(crate) struct Whose {
    /// The policy's file; its drop-ins lie beside it, in policy.d.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Which policy")]
    pub(crate) policy: Option<PathBuf>,
    /// The name under which the agent is started: without a policy file, qemu-ga means the profile full, bulkhead-agent standard.
    /// [default: that of the agent which runs, or else bulkhead-agent]
    #[arg(long = "as", global = true, value_name = "NAME", help_heading = "Which policy")]
    pub(crate) program: Option<Program>,
}

/// A name under which the agent is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Program {
    /// Its own.
    #[value(alias = "bulkhead")]
    BulkheadAgent,
    /// As a drop-in.
    QemuGa,
}

impl Which {
    /// The policy's files: those that were named, or else those of the agent that runs.
    pub(crate) fn files(&self) -> PolicyFiles {
        self.whose.running().map_or_else(|| self.whose.files(), |(_, report)| report.files)
    }
}

impl Whose {
    /// The files that the agent meant would read.
    pub(crate) fn files(&self) -> PolicyFiles {
        let program = match self.program {
            Some(Program::QemuGa) => "qemu-ga",
            Some(Program::BulkheadAgent) | None => "bulkhead-agent",
        };
        PolicyFiles::of(program, self.policy.as_deref())
    }

    /// The agent that is meant if nothing else is said: the one that runs with the configured state directory. Without the right to
    /// see it, or without one, none.
    pub(crate) fn running(&self) -> Option<(i32, Report)> {
        if self.policy.is_some() || self.program.is_some() {
            return None;
        }
        let (pid, report) = Report::of_agent(&configured().ok()?.statedir).ok()??;
        Some((pid, report?))
    }
}
