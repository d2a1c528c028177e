//! How much a line matters.

use super::{ACT, NOTICE};
use tracing::Metadata;

/// The levels, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Error,
    Warning,
    /// Nothing is wrong, and the owner should see it.
    Notice,
    Info,
    Debug,
}

impl Level {
    /// That of an event.
    pub(super) fn of(event: &Metadata<'_>) -> Self {
        match *event.level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warning,
            tracing::Level::INFO if [NOTICE, ACT].contains(&event.target()) => Level::Notice,
            tracing::Level::INFO => Level::Info,
            tracing::Level::DEBUG | tracing::Level::TRACE => Level::Debug,
        }
    }

    /// Its number in syslog(3) and in the journal.
    pub(super) fn number(self) -> u8 {
        match self {
            Level::Error => 3,
            Level::Warning => 4,
            Level::Notice => 5,
            Level::Info => 6,
            Level::Debug => 7,
        }
    }

    /// Its word in a file; qemu-ga's, where that has one.
    pub(super) fn word(self) -> &'static str {
        match self {
            Level::Error => "critical",
            Level::Warning => "warning",
            Level::Notice => "notice",
            Level::Info => "info",
            Level::Debug => "debug",
        }
    }
}
