//! A few files that pretend. What is opened is /dev/null, unless it was given a text; what was opened how is noted.

use super::Fake;
use crate::{Found, Located, ObjectKind, OpenFile, OpenFlags, in_memory};
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::fd::OwnedFd;

/// What a pretended path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FakeFile {
    /// A regular file.
    File {
        /// Its size in bytes.
        size: u64,
        /// How many names it has, others than this one included.
        names: u32,
    },
    /// A folder.
    Folder,
    /// A device, a FIFO, a socket.
    Special,
    /// A symbolic link to this absolute path.
    Link(String),
}

#[derive(Debug, Default)]
pub(super) struct Files {
    all: Vec<(String, FakeFile)>,
    texts: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Fake {
    /// Puts something at an absolute path; the folders that it is in must have been put before.
    pub fn put(&self, path: impl Into<String>, file: FakeFile) {
        let path = path.into();
        let files = &mut self.0.borrow_mut().files.all;
        files.retain(|(other, _)| *other != path);
        files.push((path, file));
    }

    /// Puts a regular file with this text at an absolute path, and the folders that it is in. Every time it is opened it has
    /// this text: what was written to it before is gone.
    pub fn write_file(&self, path: &str, text: impl Into<Vec<u8>>) {
        for (end, _) in path.match_indices('/').skip(1) {
            self.put(&path[..end], FakeFile::Folder);
        }
        let text = text.into();
        self.put(path, FakeFile::File { size: text.len() as u64, names: 1 });
        self.0.borrow_mut().files.texts.insert(path.into(), text);
    }
}

impl Files {
    fn at(&self, path: &str) -> Option<FakeFile> {
        if path.is_empty() {
            return Some(FakeFile::Folder);
        }
        self.all.iter().find(|(other, _)| *other == path).map(|(_, file)| file.clone())
    }
}

impl crate::Files for Fake {
    /// What was put at a path, as it is opened where everything is permitted and nobody looks first where it lies; and `/dev/null` under
    /// its own name.
    fn open_file(&self, path: &[u8], flags: OpenFlags) -> Result<OpenFile, Errno> {
        if path == b"/dev/null" {
            return null(flags);
        }
        let located = self.locate(path, &[])?;
        self.open_located(&located, flags)
    }

    /// Trees are told by the text of paths: here nothing moves, and nothing is mounted.
    fn locate(&self, path: &[u8], trees: &[&str]) -> Result<Located, Errno> {
        let state = &self.0.borrow();
        let path = str::from_utf8(path).map_err(|_| Errno::EINVAL)?;
        let (mut real, mut by_link) = (String::new(), false);
        let steps = path.split('/').rev().filter(|step| !matches!(*step, "" | "."));
        let mut ahead: Vec<String> = steps.map(str::to_owned).collect();
        let (mut kind, mut size, mut has_other_names, mut errno) = (ObjectKind::Folder, 0, false, None);
        while let Some(step) = ahead.pop() {
            if step == ".." {
                real.truncate(real.rfind('/').unwrap_or(0));
                continue;
            }
            let next = format!("{real}/{step}");
            match state.files.at(&next) {
                Some(FakeFile::Link(target)) => {
                    by_link = true;
                    real.clear();
                    ahead.extend(target.split('/').rev().filter(|step| !step.is_empty()).map(str::to_owned));
                    continue;
                }
                Some(FakeFile::File { size: bytes, names }) => {
                    (kind, size, has_other_names) = (ObjectKind::File, bytes, names > 1);
                }
                Some(FakeFile::Folder) => {}
                Some(FakeFile::Special) => kind = ObjectKind::Special,
                None => {
                    (kind, errno) = (ObjectKind::Missing, Some(Errno::ENOENT));
                    if ahead.is_empty() {
                        errno = None;
                        real = next;
                    }
                    break;
                }
            }
            real = next;
        }
        let lies_in =
            |tree: &str| tree == "/" || real.strip_prefix(tree).is_some_and(|it| it.is_empty() || it.starts_with('/'));
        let (within, others): (Vec<usize>, Vec<usize>) =
            (0..trees.len()).partition(|position| lies_in(trees[*position]));
        let null = || File::open("/dev/null").map(|file| OwnedFd::from(file).into()).map_err(|_| Errno::EIO);
        let found = match (kind, errno) {
            (_, Some(errno)) => Found::Nothing(errno),
            (ObjectKind::Missing, None) => Found::Place { folder: null()?, name: Vec::new() },
            _ => Found::Object(null()?),
        };
        let perhaps = if has_other_names { others } else { Vec::new() };
        let is_plain = kind != ObjectKind::Special;
        Ok(Located { found, path: real.into_bytes(), kind, size, has_other_names, is_plain, by_link, within, perhaps })
    }

    /// Notes what is opened or made, and how.
    fn open_located(&self, located: &Located, flags: OpenFlags) -> Result<OpenFile, Errno> {
        let state = &mut *self.0.borrow_mut();
        let deed = match &located.found {
            Found::Object(_) if located.kind == ObjectKind::Folder && flags.write => return Err(Errno::EISDIR),
            Found::Object(_) if flags.truncate => "empty",
            Found::Object(_) => "open",
            Found::Place { .. } if flags.create => "make",
            Found::Place { .. } => return Err(Errno::ENOENT),
            Found::Nothing(errno) => return Err(*errno),
        };
        state.note(deed, &located.path);
        match state.files.texts.get(&located.path) {
            Some(text) => with_text(text, flags).map(OpenFile::from),
            None => null(flags),
        }
    }
}

fn null(flags: OpenFlags) -> Result<OpenFile, Errno> {
    let opened = File::options().read(flags.read).write(flags.write).open("/dev/null");
    opened.map(OpenFile::from).map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EIO as i32)))
}

/// A file in memory that has this text when it is opened.
fn with_text(text: &[u8], flags: OpenFlags) -> Result<File, Errno> {
    let mut file = in_memory(if flags.truncate { b"" } else { text })?;
    let begun = if flags.append { file.seek(SeekFrom::End(0)) } else { Ok(0) };
    begun.map(|_| file).map_err(|_| Errno::EIO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Files as _;

    #[test]
    fn a_file_has_its_text_every_time() {
        let system = Fake::default();
        system.write_file("/etc/job/daily", "done");
        let read = |flags| {
            let mut text = Vec::new();
            let located = system.locate(b"/etc/job/daily", &["/etc"]).unwrap();
            assert_eq!((located.size, located.within.len()), (4, 1));
            system.open_located(&located, flags).unwrap().read_more(&mut text, 100).unwrap();
            String::from_utf8(text).unwrap()
        };
        let reading = OpenFlags { read: true, ..OpenFlags::default() };
        assert_eq!((read(reading), read(reading)), ("done".to_owned(), "done".to_owned()));
        assert_eq!(read(OpenFlags { truncate: true, write: true, ..reading }), "");
        assert_eq!(system.events(), ["open /etc/job/daily", "open /etc/job/daily", "empty /etc/job/daily"]);
    }

    #[test]
    fn what_is_opened_by_its_path_is_the_same() {
        let system = Fake::default();
        system.write_file("/etc/job/daily", "done");
        system.put("/etc/link", FakeFile::Link("/etc/job/daily".to_owned()));
        let reading = OpenFlags { read: true, ..OpenFlags::default() };
        for path in [&b"/etc/job/daily"[..], b"/etc/link"] {
            let mut text = Vec::new();
            system.open_file(path, reading).unwrap().read_more(&mut text, 100).unwrap();
            assert_eq!(text, b"done");
        }
        assert_eq!(system.open_file(b"/etc/job/weekly", reading).err(), Some(Errno::ENOENT));
        assert!(system.open_file(b"/dev/null", reading).is_ok());
        assert_eq!(system.events(), ["open /etc/job/daily", "open /etc/job/daily"]);
    }
}
