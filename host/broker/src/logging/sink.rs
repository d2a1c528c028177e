//! Where lines go, and where they wait while file systems are frozen.

use super::journal;
use super::level::Level;
use super::system::System;
use bulkhead_audit::rfc3339;
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// How much is kept while frozen, in bytes. A freeze lasts seconds to minutes and only six commands run, so an honest
/// freeze stays far below; a client that floods the agent meanwhile loses the oldest lines.
const HELD_LIMIT: usize = 64 * 1024;

/// How much may be written. 0 is without a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long the log's file may grow, in bytes. Then it is moved to the same name with `.old` behind it, in the place of the one
    /// that was there, and a new one is begun. It bounds a log that nobody rotates; an honest one has some kilobytes a day.
    pub size: u64,
    /// How many lines one place in the program may write in a minute; those that tell of commands which have acted five times as
    /// many, and details (`-v`) fifty times. It bounds what a client or a module can have written; the rest is counted, and the count
    /// logged.
    pub rate: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { size: 16 << 20, rate: 120 }
    }
}

/// What became of lines since the agent began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// They were written.
    pub written: u64,
    /// They said the same as the one before, and were counted.
    pub repeated: u64,
    /// They came too fast, and were counted.
    pub left_out: u64,
    /// They did not fit while file systems were frozen.
    pub lost: u64,
}

/// A line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    level: Level,
    text: String,
    at: SystemTime,
}

#[derive(Debug)]
pub(super) struct Sink {
    path: Option<PathBuf>,
    /// How long the file may grow.
    size: u64,
    file: Option<LogFile>,
    /// Whether standard error is the journal.
    is_journal: bool,
    system: System,
    held: Option<Held>,
    figures: Figures,
}

#[derive(Debug)]
struct LogFile {
    file: File,
    length: u64,
    /// Whether it is a file that has a length.
    is_regular: bool,
}

#[derive(Debug, Default)]
struct Held {
    lines: VecDeque<Line>,
    bytes: usize,
    lost: u64,
}

impl Line {
    pub(super) fn now(level: Level, text: String) -> Self {
        Line { level, text, at: SystemTime::now() }
    }

    /// As it stands in a file: qemu-ga's form.
    fn in_file(&self) -> String {
        let since = self.at.duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("{}.{:06}: {}: {}\n", since.as_secs(), since.subsec_micros(), self.level.word(), self.text)
    }

    /// As the journal takes it from standard error. It has a clock of its own, and takes each line for one of its own.
    fn in_journal(&self) -> String {
        self.text.lines().map(|line| format!("<{}>{line}\n", self.level.number())).collect()
    }

    /// As it is told where others put the time: later than it was.
    fn late(mut self) -> Self {
        self.text = format!("{} (at {})", self.text, rfc3339(self.at));
        self
    }
}

impl Sink {
    /// A sink that writes to the file at `path`, or to standard error; and to the system's log, where the agent is called `name`.
    pub(super) fn new(path: Option<PathBuf>, name: String, size: u64) -> Self {
        let (system, figures) = (System::new(name), Figures::default());
        let mut sink = Sink { path, size, file: None, is_journal: false, system, held: None, figures };
        sink.look_at_standard_error();
        sink
    }

    pub(super) fn look_at_standard_error(&mut self) {
        self.is_journal = journal::is_standard_error(std::env::var("JOURNAL_STREAM").ok().as_deref());
    }

    pub(super) fn open(&mut self) -> io::Result<()> {
        if let (Some(path), None) = (&self.path, &self.file) {
            self.file = Some(LogFile::open(path)?);
        }
        Ok(())
    }

    pub(super) fn reopen(&mut self) -> io::Result<()> {
        if let Some(path) = &self.path {
            self.file = Some(LogFile::open(path)?);
        }
        Ok(())
    }

    pub(super) fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    pub(super) fn release(&mut self) {
        let Some(held) = self.held.take() else { return };
        self.figures.lost += held.lost;
        if held.lost > 0 {
            self.write(Line::now(Level::Warning, format!("{} lines were lost while frozen", held.lost)));
        }
        for line in held.lines {
            self.put(&line, &line.clone().late());
        }
    }

    pub(super) fn figures(&self) -> Figures {
        self.figures
    }

    pub(super) fn write(&mut self, line: Line) {
        match &mut self.held {
            Some(held) => held.keep(line),
            None => self.put(&line, &line),
        }
    }

    /// Writes a line; `elsewhere` is what it is where it gets the time at which it arrives. A line that cannot be written is lost:
    /// there is nobody left to tell.
    fn put(&mut self, line: &Line, elsewhere: &Line) {
        self.figures.written += 1;
        if self.path.is_some() {
            let text = line.in_file();
            if self.append(text.as_bytes()).is_err() {
                let _ = io::stderr().write_all(text.as_bytes());
            }
        } else if self.is_journal {
            let _ = io::stderr().write_all(elsewhere.in_journal().as_bytes());
            // The journal is the system's log.
            return;
        } else {
            let _ = io::stderr().write_all(line.in_file().as_bytes());
        }
        if line.level <= Level::Notice {
            self.system.tell(elsewhere.level, &elsewhere.text);
        }
    }

    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        self.open()?;
        if self.file.as_ref().is_some_and(|file| file.is_full(text.len(), self.size)) {
            self.move_aside()?;
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        file.file.write_all(text)?;
        file.length += text.len() as u64;
        Ok(())
    }

    /// Moves a full file to the same name with `.old` behind it. A link stays, and leads to the new one.
    fn move_aside(&mut self) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        // Somebody may have rotated it without a word.
        self.file = None;
        if fs::metadata(path).is_ok_and(|it| it.len() >= self.size / 2) {
            let path = fs::canonicalize(path)?;
            let mut old = path.clone().into_os_string();
            old.push(".old");
            fs::rename(path, old)?;
        }
        self.open()
    }
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().append(true).create(true).open(path)?;
        let metadata = file.metadata()?;
        Ok(LogFile { length: metadata.len(), is_regular: metadata.is_file(), file })
    }

    fn is_full(&self, more: usize, size: u64) -> bool {
        self.is_regular && size > 0 && self.length > 0 && self.length + more as u64 > size
    }
}

impl Held {
    fn keep(&mut self, line: Line) {
        self.bytes += line.text.len();
        self.lines.push_back(line);
        while self.bytes > HELD_LIMIT {
            self.bytes -= self.lines.pop_front().map_or(self.bytes, |line| line.text.len());
            self.lost += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_test_support::Scratch;
    use std::os::unix::net::UnixDatagram;

    fn line(text: &str) -> Line {
        Line::now(Level::Notice, text.to_owned())
    }

    fn texts(path: &Path) -> Vec<String> {
        let text = fs::read_to_string(path).unwrap();
        text.lines().map(|line| line.split_once(": notice: ").unwrap().1.to_owned()).collect()
    }

    fn sink(scratch: &Scratch, size: u64) -> Sink {
        Sink::new(Some(scratch.join("file")), "agent".to_owned(), size)
    }

    #[test]
    fn while_held_nothing_reaches_the_file_not_even_its_making() {
        let scratch = Scratch::new("log-held");
        let listener = UnixDatagram::bind(scratch.join("dev-log")).unwrap();
        listener.set_nonblocking(true).unwrap();
        let mut sink = Sink { system: System::at(scratch.join("dev-log")), ..sink(&scratch, 0) };
        sink.hold();
        sink.write(line("one"));
        let mut buffer = [0; 256];
        assert!(!scratch.join("file").exists() && listener.recv(&mut buffer).is_err());
        sink.release();
        sink.write(line("two"));
        assert_eq!(texts(&scratch.join("file")), ["one", "two"]);
        let mut heard = || {
            let length = listener.recv(&mut buffer).unwrap();
            String::from_utf8_lossy(&buffer[..length]).into_owned()
        };
        assert!(heard().contains(": one (at 20"), "who gives it a time of its own is told the right one");
        assert!(heard().ends_with(": two"));
    }

    #[test]
    fn a_log_that_was_moved_away_is_begun_anew() {
        let scratch = Scratch::new("log-moved");
        let (path, moved) = (scratch.join("file"), scratch.join("file.1"));
        let mut sink = sink(&scratch, 0);
        sink.write(line("one"));
        fs::rename(&path, &moved).unwrap();
        sink.write(line("two"));
        sink.reopen().unwrap();
        sink.write(line("three"));
        assert_eq!((texts(&moved), texts(&path)), (vec!["one".to_owned(), "two".into()], vec!["three".to_owned()]));
    }

    #[test]
    fn a_log_that_nobody_rotates_takes_twice_its_size_at_the_most() {
        let scratch = Scratch::new("log-full");
        let mut sink = sink(&scratch, 1000);
        (0..100).for_each(|count| sink.write(line(&count.to_string())));
        let (old, new) = (scratch.join("file.old"), scratch.join("file"));
        assert!([&old, &new].iter().all(|path| fs::metadata(path).unwrap().len() <= 1000));
        let both = [texts(&old), texts(&new)].concat();
        assert_eq!(both.last().map(String::as_str), Some("99"));
        assert!(both.windows(2).all(|pair| pair[0].parse::<u32>().unwrap() + 1 == pair[1].parse::<u32>().unwrap()));
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_flood_loses_its_oldest_lines() {
        let mut held = Held::default();
        for _ in 0..100 {
            held.keep(line(&"x".repeat(1024)));
        }
        assert_eq!((held.lines.len(), held.lost), (64, 36));
    }

    #[test]
    fn each_line_for_the_journal_has_its_priority() {
        let line = Line::now(Level::Warning, "one\ntwo".to_owned());
        assert_eq!(line.in_journal(), "<4>one\n<4>two\n");
        assert!(line.in_file().ends_with(": warning: one\ntwo\n"));
    }
}
