//! Lines on their way: numbered, chained, held back, written, and counted when they are lost.

use crate::chain::{Chain, Link, digest};
use crate::file::AuditFile;
use crate::journal::Journal;
use crate::ring::Ring;
use crate::{Entry, Members, rfc3339};
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

/// Where lines go. The chain is that of the file or, without a file, that of the journal.
#[derive(Debug)]
pub struct Trail {
    file: Option<AuditFile>,
    journal: Option<Journal>,
    run: String,
    /// Unknown until the file could be read.
    chain: Option<Chain>,
    held: Option<Ring>,
    /// Lines that are missing behind the last one written.
    lost: u64,
    failing: bool,
    /// The file shall be opened again.
    stale: bool,
    line: String,
}

/// What the owner should hear of, once.
#[derive(Debug)]
pub enum Notice {
    /// Lines cannot be written, and are counted.
    Failing(io::Error),
    /// They can be written again; so many were lost, which is on record.
    Recovered(u64),
}

impl Trail {
    /// A trail to `file` and to the journal that listens at `journal`. Nothing is opened before the first line. `run` is the
    /// name that this run of the agent has in its lines.
    pub fn new(file: Option<PathBuf>, journal: Option<PathBuf>, run: String) -> Self {
        Trail {
            file: file.map(AuditFile::new),
            journal: journal.map(Journal::new),
            run,
            chain: None,
            held: None,
            lost: 0,
            failing: false,
            stale: false,
            line: String::new(),
        }
    }

    /// The members that every line begins with, behind number and chain.
    pub fn begin(&self, time: SystemTime) -> Members {
        let mut members = Members::default();
        members.text("time", &rfc3339(time)).text("run", &self.run);
        members
    }

    /// From now on lines are kept in memory, and no disk is touched.
    pub fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Writes what was kept, and lines to come at once.
    pub fn release(&mut self) -> Option<Notice> {
        let Ring { entries, lost, .. } = self.held.take()?;
        let mut notice = None;
        for entry in &entries {
            notice = self.write(entry).or(notice);
        }
        self.lost = self.lost.saturating_add(lost);
        notice
    }

    /// Opens the file again with the next line.
    pub fn reopen(&mut self) {
        self.stale = true;
    }

    /// Takes a line.
    pub fn record(&mut self, entry: Entry) -> Option<Notice> {
        match &mut self.held {
            Some(ring) => {
                ring.keep(entry);
                None
            }
            None => self.write(&entry),
        }
    }

    fn write(&mut self, entry: &Entry) -> Option<Notice> {
        let lost = self.lost;
        match self.try_write(entry) {
            Ok(()) if std::mem::take(&mut self.failing) => Some(Notice::Recovered(lost)),
            Ok(()) => None,
            Err(error) => {
                self.lost = self.lost.saturating_add(1);
                (!std::mem::replace(&mut self.failing, true)).then_some(Notice::Failing(error))
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
                    let place = self.chain.map(|chain| (chain.after(self.lost), ""));
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
            self.lost = self.lost.saturating_add(u64::from(torn));
        }
        Ok(())
    }

    /// Puts on record that lines are missing.
    fn write_loss(&mut self) -> io::Result<()> {
        let (Some(chain), 1..) = (&self.chain, self.lost) else { return Ok(()) };
        let (first, last) = (chain.after(0), chain.after(self.lost - 1));
        let mut members = self.begin(SystemTime::now());
        members.text("event", "lost").number("lines", self.lost).number("first", first).number("last", last);
        let message = format!("{} lines of the audit were lost: {first} to {last}", self.lost);
        let fields = vec![("BULKHEAD_EVENT", "lost".to_owned())];
        self.write_line(&Entry { members, message, priority: 4, fields }, self.lost)?;
        self.lost = 0;
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
mod tests {
    use super::*;
    use crate::file::tests::Folder;
    use crate::{Loss, verify};
    use std::fs;
    use std::os::unix::net::UnixDatagram;

    fn entry(trail: &Trail, command: &str) -> Entry {
        let mut members = trail.begin(SystemTime::now());
        members.text("command", command);
        Entry { members, ..Entry::default() }
    }

    fn put(trail: &mut Trail, command: &str) -> Option<Notice> {
        let entry = entry(trail, command);
        trail.record(entry)
    }

    fn to_file(folder: &Folder) -> Trail {
        Trail::new(Some(folder.join("a")), None, "r".to_owned())
    }

    /// How many lines there are and which were lost.
    fn checked(folder: &Folder) -> (u64, Vec<(u64, u64)>) {
        let report = verify([("a".to_owned(), fs::read(folder.join("a")).unwrap().as_slice())]).unwrap();
        (report.lines, report.losses.iter().map(|Loss { first, last, .. }| (*first, *last)).collect())
    }

    #[test]
    fn a_second_life_goes_on_where_the_first_ended() {
        let folder = Folder::new("lives");
        for _ in 0..3 {
            let mut trail = to_file(&folder);
            put(&mut trail, "x");
            put(&mut trail, "y");
        }
        assert_eq!(checked(&folder), (6, vec![]));
        assert!(folder.read("a").lines().last().unwrap().starts_with("{\"seq\":6,"));
    }

    #[test]
    fn while_held_nothing_is_touched() {
        let folder = Folder::new("held");
        let mut trail = to_file(&folder);
        trail.hold();
        put(&mut trail, "x");
        trail.reopen();
        assert!(!folder.join("a").exists());
        assert!(trail.release().is_none());
        assert!(trail.release().is_none(), "a second thaw has nothing to write");
        put(&mut trail, "y");
        assert_eq!(checked(&folder), (2, vec![]));
    }

    #[test]
    fn a_flood_while_held_is_a_recorded_loss() {
        let folder = Folder::new("flood");
        let mut trail = to_file(&folder);
        trail.hold();
        (0..1030).for_each(|_| drop(put(&mut trail, "x")));
        trail.release();
        put(&mut trail, "y");
        assert_eq!(checked(&folder), (1026, vec![(1025, 1030)]));
    }

    #[test]
    fn what_cannot_be_written_is_counted_and_told_once() {
        let folder = Folder::new("failing");
        let mut trail = to_file(&folder);
        put(&mut trail, "1");
        fs::rename(folder.join("a"), folder.join("kept")).unwrap();
        fs::create_dir(folder.join("a")).unwrap();
        assert!(matches!(put(&mut trail, "2"), Some(Notice::Failing(_))));
        assert!(put(&mut trail, "3").is_none());
        fs::remove_dir(folder.join("a")).unwrap();
        fs::rename(folder.join("kept"), folder.join("a")).unwrap();
        assert!(matches!(put(&mut trail, "4"), Some(Notice::Recovered(2))));
        assert_eq!(checked(&folder), (3, vec![(2, 3)]));
    }

    #[test]
    fn a_file_that_could_not_be_read_at_first_is_gone_on_with() {
        let folder = Folder::new("late");
        put(&mut to_file(&folder), "1");
        fs::rename(folder.join("a"), folder.join("kept")).unwrap();
        fs::create_dir(folder.join("a")).unwrap();
        let mut trail = to_file(&folder);
        put(&mut trail, "2");
        fs::remove_dir(folder.join("a")).unwrap();
        fs::rename(folder.join("kept"), folder.join("a")).unwrap();
        put(&mut trail, "3");
        assert_eq!(checked(&folder), (3, vec![(2, 2)]));
    }

    #[test]
    fn a_torn_last_line_is_a_recorded_loss() {
        let folder = Folder::new("crash");
        put(&mut to_file(&folder), "1");
        for piece in ["{\"seq\":2,\"pr", "\0\0\0\0", "{\"seq\":9}\n"] {
            fs::write(folder.join("a"), folder.read("a") + piece).unwrap();
            put(&mut to_file(&folder), "x");
        }
        assert_eq!(checked(&folder), (7, vec![(2, 2), (5, 5), (8, 8)]));
    }

    #[test]
    fn the_journal_gets_each_line_and_has_a_chain_of_its_own_without_a_file() {
        let folder = Folder::new("trail-journal");
        let socket = UnixDatagram::bind(folder.join("socket")).unwrap();
        let received = || {
            let mut buffer = [0; 4096];
            let length = socket.recv(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            text.lines().find_map(|line| line.strip_prefix("BULKHEAD_LINE=")).unwrap_or_default().to_owned()
        };
        let mut trail = Trail::new(None, Some(folder.join("socket")), "r".to_owned());
        put(&mut trail, "1");
        put(&mut trail, "2");
        let lines = format!("{}\n{}\n", received(), received());
        assert_eq!(verify([("j".to_owned(), lines.as_bytes())]).unwrap().lines, 2);
        let mut trail = Trail::new(Some(folder.join("a")), Some(folder.join("socket")), "r".to_owned());
        put(&mut trail, "3");
        assert_eq!(received() + "\n", folder.read("a"));
    }
}
