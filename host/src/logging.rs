//! The log: lines for the owner, in the form that qemu-ga gives them (`SECONDS.MICROS: level: text`).
//!
//! While file systems are frozen no line may reach a disk, or the agent would wait for itself to thaw it. Then lines
//! are kept in memory, and written when the freeze is over. An agent that starts frozen does not even open its log file
//! before.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

/// How much is kept while frozen, in bytes. A freeze lasts seconds to minutes and only six commands run, so an honest
/// freeze stays far below; a client that floods the agent meanwhile loses the oldest lines.
const HELD_LIMIT: usize = 64 * 1024;

/// Sends the log to `file`, or to standard error. `verbose` shows every level; otherwise errors and warnings.
///
/// Returns the means to hold the log back. Fails only if a log was started before.
pub fn start(file: Option<PathBuf>, verbose: bool) -> Result<LogHold, tracing_subscriber::util::TryInitError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let log = LogHold::new(file);
    tracing_subscriber::fmt()
        .with_max_level(if verbose { Level::DEBUG } else { Level::WARN })
        .event_format(Line)
        .with_writer(log.clone())
        .finish()
        .try_init()?;
    Ok(log)
}

/// Where lines go, and the means to hold them back.
#[derive(Clone, Debug)]
pub struct LogHold(Arc<Mutex<Sink>>);

#[derive(Debug)]
struct Sink {
    path: Option<PathBuf>,
    file: Option<File>,
    held: Option<Held>,
}

#[derive(Debug, Default)]
struct Held {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    lost: usize,
}

impl LogHold {
    /// A sink that writes to the file at `path`, or to standard error.
    pub fn new(path: Option<PathBuf>) -> Self {
        LogHold(Arc::new(Mutex::new(Sink { path, file: None, held: None })))
    }

    /// Opens the log file now, to see that it can be.
    pub fn open(&self) -> io::Result<()> {
        let mut sink = self.sink();
        if let (Some(path), None) = (&sink.path, &sink.file) {
            sink.file = Some(open_log(path)?);
        }
        Ok(())
    }

    /// Opens the log file anew, wherever its path leads now: whoever rotates logs has moved the old one away. If it cannot be
    /// opened the old one stays in use.
    pub fn reopen(&self) -> io::Result<()> {
        let mut sink = self.sink();
        if let Some(path) = &sink.path {
            sink.file = Some(open_log(path)?);
        }
        Ok(())
    }

    /// From now on lines are kept in memory.
    pub fn hold(&self) {
        self.sink().held.get_or_insert_default();
    }

    /// Writes what was kept, and lines to come at once.
    pub fn release(&self) {
        let mut sink = self.sink();
        let Some(held) = sink.held.take() else { return };
        if held.lost > 0 {
            let line = format!("{}: warning: {} lines were lost while frozen\n", Timestamp::now(), held.lost);
            sink.write(line.as_bytes());
        }
        for line in held.lines {
            sink.write(&line);
        }
    }

    /// A thread that panicked while it wrote a line does not make the log unusable.
    fn sink(&self) -> MutexGuard<'_, Sink> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn open_log(path: &Path) -> io::Result<File> {
    File::options().append(true).create(true).open(path)
}

impl Sink {
    /// A line that cannot be written is lost: there is nobody left to tell.
    fn write(&mut self, line: &[u8]) {
        if let Some(held) = &mut self.held {
            held.keep(line);
            return;
        }
        let Some(path) = &self.path else {
            let _ = io::stderr().write_all(line);
            return;
        };
        if self.file.is_none() {
            self.file = open_log(path).ok();
        }
        let written = self.file.as_mut().map(|file| file.write_all(line));
        if !matches!(written, Some(Ok(()))) {
            let _ = io::stderr().write_all(line);
        }
    }
}

impl Held {
    fn keep(&mut self, line: &[u8]) {
        self.bytes += line.len();
        self.lines.push_back(line.to_vec());
        while self.bytes > HELD_LIMIT {
            self.bytes -= self.lines.pop_front().map_or(self.bytes, |line| line.len());
            self.lost += 1;
        }
    }
}

impl Write for LogHold {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.sink().write(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogHold {
    type Writer = LogHold;

    fn make_writer(&'a self) -> LogHold {
        self.clone()
    }
}

/// The form of a line.
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "critical",
            Level::WARN => "warning",
            Level::INFO => "info",
            Level::DEBUG | Level::TRACE => "debug",
        };
        write!(line, "{}: {level}: ", Timestamp::now())?;
        context.format_fields(line.by_ref(), event)?;
        writeln!(line)
    }
}

/// Seconds and microseconds since 1970.
struct Timestamp(u64, u32);

impl Timestamp {
    fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(since.as_secs(), since.subsec_micros())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:06}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_held_nothing_reaches_the_file_not_even_its_making() {
        let path = std::env::temp_dir().join(format!("bulkhead-log-{}", std::process::id()));
        let log = LogHold::new(Some(path.clone()));
        log.hold();
        log.clone().write_all(b"one\n").unwrap();
        assert!(!path.exists());
        log.release();
        log.clone().write_all(b"two\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_log_that_was_moved_away_is_begun_anew() {
        let path = std::env::temp_dir().join(format!("bulkhead-log-moved-{}", std::process::id()));
        let moved = path.with_extension("1");
        let log = LogHold::new(Some(path.clone()));
        log.clone().write_all(b"one\n").unwrap();
        std::fs::rename(&path, &moved).unwrap();
        log.clone().write_all(b"two\n").unwrap();
        log.reopen().unwrap();
        log.clone().write_all(b"three\n").unwrap();
        assert_eq!(std::fs::read_to_string(&moved).unwrap(), "one\ntwo\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
        [path, moved].iter().for_each(|file| std::fs::remove_file(file).unwrap());
    }

    #[test]
    fn a_flood_loses_its_oldest_lines() {
        let mut held = Held::default();
        for _ in 0..100 {
            held.keep(&[b'x'; 1024]);
        }
        assert_eq!((held.lines.len(), held.lost), (64, 36));
    }
}
