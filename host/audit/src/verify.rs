//! Whether lines are whole: as they were written, all of them, in order.

use crate::chain::{Chain, Link, digest};
use std::fmt;
use std::io::{self, BufRead, Read};
use thiserror::Error;

/// The longest line that is read, in bytes. It bounds the memory that a file costs which is no audit; the lines of an
/// agent are a tenth of it at the most.
const LINE: u64 = 1024 * 1024;

/// What a whole audit tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many lines there are.
    pub lines: u64,
    /// The number of the first. If it is not 1, older files are missing.
    pub first: u64,
    /// The number of the last.
    pub last: u64,
    /// How many requests have no line because they said the same as the one before, and were counted.
    pub repeated: u64,
    /// What the agent itself says is missing.
    pub losses: Vec<Loss>,
}

/// Lines of which the agent says that they could not be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The number of the first.
    pub first: u64,
    /// The number of the last.
    pub last: u64,
    /// When it was put on record.
    pub time: String,
    /// How many of them were left out because they came too fast.
    pub left_out: u64,
    /// Whether a piece of a line stands in their place.
    pub torn: bool,
}

/// A place in the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    file: String,
    line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

/// The first thing that is wrong.
#[derive(Debug, Error)]
pub enum Fault {
    /// A file cannot be read.
    #[error("{0}: cannot be read")]
    Unreadable(Place, #[source] io::Error),
    /// There is not one line.
    #[error("there are no lines")]
    Empty,
    /// A line is something else.
    #[error("{0}: this is not a line of an audit: it was edited, or the file is something else")]
    Form(Place),
    /// A file is compressed: whoever rotates logs has done that.
    #[error("{0} is compressed: give what '{1} {0}' prints, by a pipe")]
    Compressed(String, &'static str),
    /// The last line ends in the middle.
    #[error("{0}: the last line is cut off: the agent died while it wrote it, or somebody cut it")]
    Truncated(Place),
    /// Numbers are missing and nothing says why.
    #[error("{0}: lines were removed between {1} and {2}")]
    Removed(Place, u64, u64),
    /// Numbers are missing here and come later.
    #[error("{0}: line {1} stands where line {2} should: lines were reordered")]
    Reordered(Place, u64, u64),
    /// A number comes again.
    #[error("{0}: line {1} comes after line {2}: lines were repeated or reordered")]
    Repeated(Place, u64, u64),
    /// A line does not fit the one after it.
    #[error("{0}: line {1} was edited: line {2} does not follow from it")]
    Edited(Place, u64, u64),
    /// A chain begins in the middle.
    #[error(
        "{0}: a new audit begins here, although line {1} came before: a file was replaced, or files of two agents were given"
    )]
    Begun(Place, u64),
    /// What a line says was lost is not what is missing.
    #[error(
        "{0}: the loss of lines {1} to {2} is on record, but the line before it is {3}: this line was edited, or lines were removed"
    )]
    Loss(Place, u64, u64, u64),
}

/// Checks files, the oldest first, each with the name by which a fault is told.
pub fn verify<R: BufRead>(files: impl IntoIterator<Item = (String, R)>) -> Result<Report, Fault> {
    let mut lines = Lines { files: files.into_iter(), current: None };
    let mut check = Check::default();
    while let Some(line) = lines.next()? {
        if let Err(fault) = check.line(&line) {
            return Err(match fault {
                Fault::Removed(place, before, after) if comes_later(&mut lines, before + 1)? => {
                    Fault::Reordered(place, after, before + 1)
                }
                fault => fault,
            });
        }
    }
    check.end()
}

/// Whether the line with this number comes.
fn comes_later<R: BufRead>(lines: &mut Lines<impl Iterator<Item = (String, R)>, R>, seq: u64) -> Result<bool, Fault> {
    while let Some(line) = lines.next()? {
        if Link::read(&line.bytes).is_some_and(|link| link.seq == seq) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is known of the lines so far.
#[derive(Debug, Default)]
struct Check {
    report: Report,
    chain: Chain,
    /// Where the last line stands.
    at: Option<Place>,
    /// What could not be read, which is right only before a recorded loss: the last piece, and where the first stands.
    torn: Option<Torn>,
}

#[derive(Debug)]
struct Torn {
    begin: Place,
    is_cut: bool,
    last: [u8; 32],
}

impl Check {
    fn line(&mut self, line: &Line) -> Result<(), Fault> {
        let Some(link) = Link::read(&line.bytes).filter(|_| line.ended) else {
            let begin = self.torn.take().map_or(line.place.clone(), |torn| torn.begin);
            self.torn = Some(Torn { begin, is_cut: !line.ended, last: digest(&line.bytes) });
            return Ok(());
        };
        let before = self.chain.seq;
        let is_first = self.report.lines == 0 && self.torn.is_none();
        let torn = self.torn.take();
        if let Some(torn) = &torn
            && (link.lost.is_none() || link.prev != torn.last)
        {
            return Err(Fault::Form(torn.begin.clone()));
        }
        if is_first {
            self.report.first = link.lost.map_or(link.seq, |(first, _)| first);
        } else {
            self.follows(&line.place, &link, torn.is_some())?;
        }
        if let Some((first, last)) = link.lost {
            let fits = first <= last && last.checked_add(1) == Some(link.seq);
            if !fits || (!is_first && first != before + 1) {
                return Err(Fault::Loss(line.place.clone(), first, last, before));
            }
            self.report.losses.push(Loss {
                first,
                last,
                time: link.time,
                left_out: link.left_out,
                torn: torn.is_some(),
            });
        }
        self.chain = Chain { seq: link.seq, prev: digest(&line.bytes) };
        self.at = Some(line.place.clone());
        self.report.lines += 1;
        self.report.repeated = self.report.repeated.saturating_add(link.repeated);
        self.report.last = link.seq;
        Ok(())
    }

    /// Whether `link` comes after the last line. A torn piece between them was looked at already.
    fn follows(&self, place: &Place, link: &Link, torn: bool) -> Result<(), Fault> {
        let (before, place) = (self.chain.seq, place.clone());
        let begins = link.lost.map_or(link.seq, |(first, _)| first);
        if begins > before.saturating_add(1) {
            return Err(Fault::Removed(place, before, link.seq));
        }
        if link.seq == 1 && link.prev == Chain::default().prev {
            return Err(Fault::Begun(place, before));
        }
        if link.seq <= before {
            return Err(Fault::Repeated(place, link.seq, before));
        }
        if !torn && link.prev != self.chain.prev {
            let edited = self.at.clone().unwrap_or(place);
            return Err(Fault::Edited(edited, before, link.seq));
        }
        Ok(())
    }

    fn end(self) -> Result<Report, Fault> {
        match self.torn {
            Some(Torn { begin, is_cut: true, .. }) => Err(Fault::Truncated(begin)),
            Some(Torn { begin, .. }) => Err(Fault::Form(begin)),
            None if self.report.lines == 0 => Err(Fault::Empty),
            None => Ok(self.report),
        }
    }
}

/// What prints the contents of a file that begins so, if it is compressed.
fn compressed(bytes: &[u8]) -> Option<&'static str> {
    const FORMS: [(&[u8], &str); 4] = [
        (&[0x1f, 0x8b], "zcat"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "zstdcat"),
        (&[0xfd, b'7', b'z', b'X', b'Z'], "xzcat"),
        (b"BZh", "bzcat"),
    ];
    FORMS.into_iter().find(|(begin, _)| bytes.starts_with(begin)).map(|(_, reader)| reader)
}

/// The lines of files, one file after the other.
struct Lines<F, R> {
    files: F,
    current: Option<(Place, R)>,
}

struct Line {
    bytes: Vec<u8>,
    place: Place,
    /// Whether a line break follows.
    ended: bool,
}

impl<R: BufRead, F: Iterator<Item = (String, R)>> Lines<F, R> {
    fn next(&mut self) -> Result<Option<Line>, Fault> {
        loop {
            if self.current.is_none() {
                let Some((file, reader)) = self.files.next() else { return Ok(None) };
                self.current = Some((Place { file, line: 0 }, reader));
            }
            let Some((place, reader)) = &mut self.current else { return Ok(None) };
            place.line += 1;
            let mut bytes = Vec::new();
            let read = reader.by_ref().take(LINE).read_until(b'\n', &mut bytes);
            if read.map_err(|error| Fault::Unreadable(place.clone(), error))? == 0 {
                self.current = None;
                continue;
            }
            if let Some(reader) = compressed(&bytes).filter(|_| place.line == 1) {
                return Err(Fault::Compressed(place.file.clone(), reader));
            }
            let ended = bytes.pop_if(|last| *last == b'\n').is_some();
            if !ended && bytes.len() as u64 == LINE {
                return Err(Fault::Form(place.clone()));
            }
            return Ok(Some(Line { bytes, place: place.clone(), ended }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A good audit of so many lines.
    fn lines(count: usize) -> Vec<String> {
        let (mut chain, mut line) = (Chain::default(), String::new());
        let mut write = |index: usize| {
            chain.line(0, &format!(r#""time":"t","run":"r","command":"guest-ping-{index}""#), &mut line);
            chain.wrote(0, &line);
            line.clone()
        };
        (0..count).map(&mut write).collect()
    }

    #[test]
    fn a_compressed_file_is_not_a_broken_one() {
        let file = |bytes: &'static [u8]| verify([("audit.1.gz".to_owned(), bytes)]).unwrap_err().to_string();
        assert_eq!(file(b"\x1f\x8b\x08\0"), "audit.1.gz is compressed: give what 'zcat audit.1.gz' prints, by a pipe");
        assert!(file(b"BZx\n").contains("not a line of an audit"));
    }

    fn outcome(files: &[&[String]]) -> String {
        let texts: Vec<String> = files.iter().map(|lines| lines.join("\n") + "\n").collect();
        let named = texts.iter().enumerate().map(|(index, text)| (format!("f{index}"), text.as_bytes()));
        verify(named).map_or_else(|fault| fault.to_string(), |report| format!("{report:?}"))
    }

    #[test]
    fn whole_files() {
        let all = lines(5);
        assert_eq!(outcome(&[&all]), "Report { lines: 5, first: 1, last: 5, repeated: 0, losses: [] }");
        assert_eq!(outcome(&[&all[..2], &all[2..]]), outcome(&[&all]));
        assert_eq!(outcome(&[&all[3..]]), "Report { lines: 2, first: 4, last: 5, repeated: 0, losses: [] }");
        assert_eq!(verify(std::iter::empty::<(String, &[u8])>()).unwrap_err().to_string(), "there are no lines");
    }

    #[test]
    fn what_was_done_to_lines_is_told() {
        let all = lines(6);
        let with = |change: fn(&mut Vec<String>)| {
            let mut lines = all.clone();
            change(&mut lines);
            outcome(&[&lines])
        };
        assert_eq!(
            with(|lines| lines[2] = lines[2].replace("ping", "exec")),
            "f0:3: line 3 was edited: line 4 does not follow from it"
        );
        assert_eq!(with(|lines| drop(lines.drain(2..4))), "f0:3: lines were removed between 2 and 5");
        assert_eq!(with(|lines| lines.swap(2, 3)), "f0:3: line 4 stands where line 3 should: lines were reordered");
        assert_eq!(
            with(|lines| lines.insert(4, lines[1].clone())),
            "f0:5: line 2 comes after line 4: lines were repeated or reordered"
        );
        assert_eq!(
            with(|lines| lines[3].truncate(40)),
            "f0:4: this is not a line of an audit: it was edited, or the file is something else"
        );
        assert_eq!(
            with(|lines| lines.insert(0, "junk".to_owned())),
            "f0:1: this is not a line of an audit: it was edited, or the file is something else"
        );
        assert_eq!(
            with(|lines| lines[5] = "{}".to_owned()),
            "f0:6: this is not a line of an audit: it was edited, or the file is something else"
        );
        assert_eq!(
            with(|lines| lines[2] = lines[2].replace("\"seq\":3", "\"seq\":4")),
            "f0:3: lines were removed between 2 and 4"
        );
        assert!(outcome(&[&all, &lines(1)]).contains("f1:1: a new audit begins here, although line 6 came before"));
    }

    #[test]
    fn a_cut_last_line() {
        let text = lines(3).join("\n");
        assert_eq!(
            verify([("f".to_owned(), text.as_bytes())]).unwrap_err().to_string(),
            "f:3: the last line is cut off: the agent died while it wrote it, or somebody cut it"
        );
    }

    #[test]
    fn a_loss_must_be_what_is_missing() {
        let all = lines(3);
        let chain = Chain { seq: 3, prev: digest(all[2].as_bytes()) };
        let with = |skip: u64, first: u64, last: u64| {
            let mut line = String::new();
            let members = format!(r#""time":"then","event":"lost","first":{first},"last":{last}"#);
            chain.line(skip, &members, &mut line);
            outcome(&[&all, &[line]])
        };
        assert!(
            with(5, 4, 8).contains(r#"losses: [Loss { first: 4, last: 8, time: "then", left_out: 0, torn: false }]"#)
        );
        assert!(with(5, 4, 7).starts_with("f1:1: the loss of lines 4 to 7 is on record"));
        assert!(with(5, 3, 8).starts_with("f1:1: the loss of lines 3 to 8 is on record"));
        assert_eq!(with(5, 5, 8), "f1:1: lines were removed between 3 and 9");
        assert!(with(0, 4, 3).starts_with("f1:1: the loss of lines 4 to 3 is on record"));
    }

    #[test]
    fn every_single_byte_counts() {
        let text = lines(3).join("\n") + "\n";
        // Of the last line nothing speaks yet, so only the two before it.
        let end = text.match_indices('\n').nth(1).unwrap().0;
        for at in 0..=end {
            for change in [0x01, 0x20, 0x80] {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= change;
                assert!(verify([("f".to_owned(), bytes.as_slice())]).is_err(), "byte {at}");
            }
        }
    }

    #[test]
    fn a_file_without_lines_costs_no_memory() {
        let endless = io::BufReader::new(io::repeat(b'x'));
        assert!(matches!(verify([("f".to_owned(), endless)]), Err(Fault::Form(_))));
    }
}
