//! Lines on their way: counted instead of repeated, no faster than they may come, numbered, chained, held back, written, and
//! counted when they are lost.

use crate::budget::{Admitted, Budget, Kind, Missing};
use crate::chain::{Chain, Link, digest};
use crate::file::AuditFile;
use crate::journal::Journal;
use crate::repeats::Repeats;
use crate::ring::Ring;
use crate::{Entry, Limits, Members, rfc3339};
use std::io;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

/// Where lines go. The chain is that of the file or, without a file, that of the journal.
#[derive(Debug)]
pub struct Trail {
    file: Option<AuditFile>,
    journal: Option<Journal>,
    run: String,
    /// Unknown until the file could be read.
    chain: Option<Chain>,
    budget: Budget,
    /// The line that was written last, if others may be like it.
    repeats: Option<Repeats>,
    held: Option<Ring>,
    /// Lines that are missing behind the last one written.
    missing: Missing,
    failing: bool,
    /// The file shall be opened again.
    stale: bool,
    line: String,
    figures: Figures,
}

/// What became of lines since the agent began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// They were written.
    pub written: u64,
    /// They said the same as the line before, and were counted.
    pub repeated: u64,
    /// They came too fast, and were left out.
    pub left_out: u64,
    /// They could not be written: the disk was full, or the freeze long.
    pub lost: u64,
    /// Whether the last one could not.
    pub failing: bool,
}

/// What the owner should hear of, once.
#[derive(Debug)]
pub enum Notice {
    /// Lines cannot be written, and are counted.
    Failing(io::Error),
    /// They can be written again; so many were lost, which is on record.
    Recovered(u64),
    /// Lines of a kind come faster than they may, and are left out.
    TooFast(Kind),
}

impl Trail {
    /// A trail to `file` and to the journal that listens at `journal`. Nothing is opened before the first line. `run` is the
    /// name that this run of the agent has in its lines.
    pub fn new(file: Option<PathBuf>, journal: Option<PathBuf>, run: String, limits: Limits) -> Self {
        Trail {
            file: file.map(|path| AuditFile::new(path, limits.size)),
            journal: journal.map(Journal::new),
            run,
            chain: None,
            budget: Budget::new(limits.rate),
            repeats: None,
            held: None,
            missing: Missing::default(),
            failing: false,
            stale: false,
            line: String::new(),
            figures: Figures::default(),
        }
    }

    /// The members that every line begins with, behind number and chain.
    pub fn begin(&self, time: SystemTime) -> Members {
        let mut members = Members::default();
        members.text("time", &rfc3339(time)).text("run", &self.run);
        members
    }

    /// What became of lines so far.
    pub fn figures(&self) -> Figures {
        Figures { failing: self.failing, ..self.figures }
    }

    /// From now on lines are kept in memory, and no disk is touched.
    pub fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Writes what was kept, and lines to come at once.
    pub fn release(&mut self) -> Option<Notice> {
        let Ring { entries, missing, .. } = self.held.take()?;
        let mut notice = None;
        for entry in &entries {
            notice = self.write(entry).1.or(notice);
        }
        self.missing.add(&missing);
        notice
    }

    /// Opens the file again with the next line.
    pub fn reopen(&mut self) {
        self.stale = true;
    }

    /// Takes a line.
    pub fn record(&mut self, entry: Entry) -> Option<Notice> {
        self.record_at(entry, Instant::now())
    }

    fn record_at(&mut self, mut entry: Entry, now: Instant) -> Option<Notice> {
        if self.repeats.as_mut().is_some_and(|repeats| repeats.take(&entry, now)) {
            self.figures.repeated += 1;
            return None;
        }
        let count = self.repeats.take().and_then(|repeats| repeats.told(|time| self.begin(time)));
        let notice = count.and_then(|count| self.put(count).1);
        // With what every line has besides: the number and the chain.
        let bytes = entry.members.as_str().len() + entry.message.len() + 100;
        match self.budget.admits(entry.kind, bytes as u64, now) {
            Admitted::Yes => {}
            no => {
                self.leave_out(entry.kind);
                return notice.or((no == Admitted::NoMore).then_some(Notice::TooFast(entry.kind)));
            }
        }
        let like = entry.like.take();
        let (is_kept, said) = self.put(entry);
        self.repeats = like.filter(|_| is_kept).map(|like| Repeats::after(like, now));
        notice.or(said)
    }

    /// Where its lines go, for the owner.
    pub fn place(&self) -> String {
        self.file.as_ref().map_or("the journal".to_owned(), |file| file.path().display().to_string())
    }

    fn leave_out(&mut self, kind: Kind) {
        self.figures.left_out += 1;
        match &mut self.held {
            Some(ring) => ring.leave_out(kind),
            None => self.missing.left_out(kind),
        }
    }

    /// Writes a line, or keeps it until it can be written. Tells whether it is there.
    fn put(&mut self, entry: Entry) -> (bool, Option<Notice>) {
        match &mut self.held {
            Some(ring) => {
                let is_kept = ring.keep(entry);
                self.figures.lost += u64::from(!is_kept);
                (is_kept, None)
            }
            None => self.write(&entry),
        }
    }

    fn write(&mut self, entry: &Entry) -> (bool, Option<Notice>) {
        let lost = self.missing.lines - self.missing.too_fast();
        match self.try_write(entry) {
            Ok(()) => {
                self.figures.written += 1;
                (true, std::mem::take(&mut self.failing).then_some(Notice::Recovered(lost)))
            }
            Err(error) => {
                self.missing.lost(1);
                self.figures.lost += 1;
                (false, (!std::mem::replace(&mut self.failing, true)).then_some(Notice::Failing(error)))
            }
        }
    }

    fn try_write(&mut self, entry: &Entry) -> io::Result<()> {
        let begun = self.begin_chain().and_then(|()| self.write_loss());
        match begun.and_then(|()| self.write_line(entry, 0)) {
            Ok(()) => Ok(()),
            Err(error) => {
                // The journal hears of what the file cannot hold. Where the line would have stood is known, not what before it.
                if let (Some(journal), true) = (&mut self.journal, self.file.is_some()) {
                    let place = self.chain.map(|chain| (chain.after(self.missing.lines), ""));
                    // That it could not be sent either is counted there.
                    let _ = journal.send(entry, place);
                }
                Err(error)
            }
        }
    }

    /// Finds out where the chain stands.
    fn begin_chain(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.stale)
            && let Some(file) = &mut self.file
        {
            file.close();
        }
        if self.chain.is_none() {
            let tail = self.file.as_mut().map(AuditFile::tail).transpose()?.unwrap_or_default();
            let (chain, torn) = resume(&tail);
            self.chain = Some(chain);
            self.missing.lost(u64::from(torn));
        }
        Ok(())
    }

    /// Puts on record that lines are missing.
    fn write_loss(&mut self) -> io::Result<()> {
        let Missing { lines, .. } = self.missing;
        let (Some(chain), 1..) = (&self.chain, lines) else { return Ok(()) };
        let (first, last) = (chain.after(0), chain.after(lines - 1));
        let mut members = self.begin(SystemTime::now());
        members.text("event", "lost").number("lines", lines).number("first", first).number("last", last);
        if self.missing.too_fast() > 0 {
            members.json("left-out", &format!("{{{}}}", self.missing.by_kind()));
        }
        let message = format!("{lines} lines of the audit are missing: {first} to {last}");
        let fields = vec![("BULKHEAD_EVENT", "lost".to_owned())];
        self.write_line(&Entry { members, message, priority: 4, fields, ..Entry::default() }, lines)?;
        self.missing = Missing::default();
        Ok(())
    }

    /// Writes one line after `skip` numbers that stay empty.
    fn write_line(&mut self, entry: &Entry, skip: u64) -> io::Result<()> {
        let chain = self.chain.get_or_insert_default();
        chain.line(skip, entry.members.as_str(), &mut self.line);
        let place = chain.after(skip);
        let Some(file) = &mut self.file else {
            if let Some(journal) = &mut self.journal {
                journal.send(entry, Some((place, &self.line)))?;
            }
            chain.wrote(skip, &self.line);
            return Ok(());
        };
        self.line.push('\n');
        let written = file.append(&self.line);
        self.line.pop();
        if let Err(unwritten) = written {
            if unwritten.left > 0 {
                // The piece stays in the file, so it is what the next line follows.
                chain.prev = digest(&self.line.as_bytes()[..unwritten.left.min(self.line.len())]);
            }
            return Err(unwritten.error);
        }
        chain.wrote(skip, &self.line);
        if let Some(journal) = &mut self.journal {
            // The file has it. What the journal misses is counted there.
            let _ = journal.send(entry, Some((place, &self.line)));
        }
        Ok(())
    }
}

/// Where a chain stands whose file ends so, and whether its last line is torn: by a crash, or because a disk was full.
fn resume(tail: &[u8]) -> (Chain, bool) {
    if tail.is_empty() {
        return (Chain::default(), false);
    }
    let whole = tail.strip_suffix(b"\n");
    let text = whole.unwrap_or(tail);
    let lines = || text.rsplit(|byte| *byte == b'\n');
    let last = lines().next().unwrap_or_default();
    let known = lines().find_map(Link::read).map_or(0, |link| link.seq);
    let torn = whole.is_none() || Link::read(last).is_none();
    (Chain { seq: known, prev: digest(last) }, torn)
}

#[cfg(test)]
mod tests;
