//! The log: lines for the owner. On a terminal and in a file they have the form that qemu-ga gives them (`SECONDS.MICROS: level:
//! text`); where standard error is the journal of systemd they begin with their priority, as sd-daemon(3) says.
//!
//! ```text
//! tracing -> level    errors, warnings and notices are shown, `-v` shows all
//!         -> pace     no faster than a source of lines may speak; what says the same is counted
//!         -> sink     kept while file systems are frozen
//!         -> file, or standard error, and the system's log
//! ```
//!
//! While file systems are frozen no line may reach a disk, or the agent would wait for itself to thaw it. Then lines
//! are kept in memory, and written when the freeze is over. An agent that starts frozen does not even open its log file
//! before.

mod journal;
mod level;
mod pace;
mod sink;
mod system;

pub use journal::is_standard_error;
pub use sink::{Figures, Limits};

use level::Level;
use pace::Pace;
use sink::{Line, Sink};
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;
use tracing::callsite::Identifier;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

/// The target of events that the owner should see, though nothing is wrong: `tracing::info!(target: NOTICE, ...)`.
pub const NOTICE: &str = "notice";

/// The same of those that tell of a command that has acted. Each of them is a line of its own.
pub const ACT: &str = "act";

/// How long the text of a line may be, in bytes; the rest is cut off. An honest one has a path of four kilobytes in it at the most;
/// it bounds what a client that asks for names of a megabyte puts into the log.
const TEXT: usize = 8 * 1024;

/// What the owner says of the log.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The file; without one it is standard error.
    pub file: Option<PathBuf>,
    /// Every level is shown, not errors, warnings and notices alone.
    pub verbose: bool,
    /// What the agent is called in the system's log.
    pub name: String,
    /// How much may be written.
    pub limits: Limits,
}

/// Sends the log where the settings say.
///
/// Returns the means to hold the log back. Fails only if a log was started before.
pub fn start(settings: Settings) -> Result<LogHold, tracing_subscriber::util::TryInitError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let level = if settings.verbose { tracing::Level::DEBUG } else { tracing::Level::INFO };
    let log = LogHold::with(settings);
    tracing_subscriber::fmt().with_max_level(level).event_format(Text).with_writer(log.clone()).finish().try_init()?;
    Ok(log)
}

/// Where lines go, and the means to hold them back.
#[derive(Clone, Debug)]
pub struct LogHold(Arc<Mutex<Log>>);

#[derive(Debug)]
struct Log {
    /// The least that is shown.
    shown: Level,
    pace: Pace,
    sink: Sink,
}

impl LogHold {
    /// A log that writes to the file at `path`, or to standard error.
    pub fn new(path: Option<PathBuf>) -> Self {
        LogHold::with(Settings { file: path, ..Settings::default() })
    }

    /// A log as the settings say.
    pub fn with(settings: Settings) -> Self {
        let Settings { file, verbose, name, limits } = settings;
        let shown = if verbose { Level::Debug } else { Level::Notice };
        LogHold(Arc::new(Mutex::new(Log {
            shown,
            pace: Pace::new(limits.rate),
            sink: Sink::new(file, name, limits.size),
        })))
    }

    /// Opens the log file now, to see that it can be.
    pub fn open(&self) -> io::Result<()> {
        self.log().sink.open()
    }

    /// Opens the log file anew, wherever its path leads now: whoever rotates logs has moved the old one away. If it cannot be
    /// opened the old one stays in use.
    pub fn reopen(&self) -> io::Result<()> {
        self.log().sink.reopen()
    }

    /// From now on lines are kept in memory.
    pub fn hold(&self) {
        self.log().sink.hold();
    }

    /// Writes what was kept, and lines to come at once.
    pub fn release(&self) {
        self.log().sink.release();
    }

    /// Standard error is something else now than it was when the agent started.
    pub fn standard_error_changed(&self) {
        self.log().sink.look_at_standard_error();
    }

    /// Writes the counts of what was not written. No line comes any more.
    pub fn finish(&self) {
        let mut log = self.log();
        for (level, text) in log.pace.finish() {
            log.sink.write(Line::now(level, text));
        }
    }

    /// What became of lines so far.
    pub fn figures(&self) -> Figures {
        let log = self.log();
        Figures { repeated: log.pace.repeated(), left_out: log.pace.left_out(), ..log.sink.figures() }
    }

    /// A thread that panicked while it wrote a line does not make the log unusable.
    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Log {
    fn take(&mut self, level: Level, source: Option<(Identifier, bool)>, text: &str) {
        if level > self.shown {
            return;
        }
        let mut text = text.trim_end().to_owned();
        if text.len() > TEXT {
            text.truncate(text.floor_char_boundary(TEXT));
            text.push_str("...");
        }
        let passed = match source {
            Some((source, is_act)) => self.pace.pass(source, level, is_act, text, Instant::now()),
            None => vec![text],
        };
        passed.into_iter().for_each(|text| self.sink.write(Line::now(level, text)));
    }
}

/// What writes one event.
#[derive(Debug)]
pub struct LineWriter {
    log: LogHold,
    level: Level,
    /// Where in the program it comes from, and whether it tells of a command that has acted.
    source: Option<(Identifier, bool)>,
}

impl Write for LineWriter {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.log.log().take(self.level, self.source.clone(), &String::from_utf8_lossy(text));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogHold {
    type Writer = LineWriter;

    fn make_writer(&'a self) -> LineWriter {
        LineWriter { log: self.clone(), level: Level::Warning, source: None }
    }

    fn make_writer_for(&'a self, event: &Metadata<'_>) -> LineWriter {
        let source = Some((event.callsite(), event.target() == ACT));
        LineWriter { log: self.clone(), level: Level::of(event), source }
    }
}

/// The text of an event. What stands around it depends on where it goes.
struct Text;

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        context.format_fields(line.by_ref(), event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is logged while `act` runs, in a file.
    fn logged(name: &str, verbose: bool, act: impl FnOnce(&LogHold)) -> String {
        let path = std::env::temp_dir().join(format!("bulkhead-log-{name}-{}", std::process::id()));
        let log = LogHold::with(Settings { file: Some(path.clone()), verbose, ..Settings::default() });
        let level = tracing::Level::DEBUG;
        let subscriber =
            tracing_subscriber::fmt().with_max_level(level).event_format(Text).with_writer(log.clone()).finish();
        tracing::subscriber::with_default(subscriber, || act(&log));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(path);
        text
    }

    fn without_times(text: &str) -> Vec<&str> {
        text.lines().map(|line| line.split_once(": ").unwrap().1).collect()
    }

    #[test]
    fn notices_are_shown_and_less_is_not() {
        let all = |_: &LogHold| {
            tracing::error!("1");
            tracing::warn!("2");
            tracing::info!(target: NOTICE, "3");
            tracing::info!(target: ACT, "4");
            tracing::info!("5");
            tracing::debug!("6");
        };
        let usual = ["critical: 1", "warning: 2", "notice: 3", "notice: 4"];
        assert_eq!(without_times(&logged("usual", false, all)), usual);
        let verbose = [&usual[..], &["info: 5", "debug: 6"]].concat();
        assert_eq!(without_times(&logged("verbose", true, all)), verbose);
    }

    #[test]
    fn a_source_of_many_lines_leaves_room_for_others() {
        let text = logged("flood", false, |log| {
            for count in 0..10_000 {
                tracing::warn!("no word for {count}");
            }
            for _ in 0..10_000 {
                tracing::error!("always the same");
            }
            tracing::warn!("{}", "x".repeat(1 << 20));
            log.finish();
        });
        let lines = without_times(&text);
        let of = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
        assert_eq!((of("no word for"), of("always the same")), (122, 2), "{lines:?}");
        assert!(lines.contains(&"warning: 9880 more lines like this were not logged: no word for 119"), "{lines:?}");
        assert!(lines.contains(&"critical: 9999 times more: always the same"), "{lines:?}");
        assert!(text.len() < 20_000, "{}", text.len());
    }
}
