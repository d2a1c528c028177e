//! A few files that pretend. Whatever is opened is /dev/null; what was opened how is noted.

use super::{Fake, State};
use crate::{Found, Located, ObjectKind, OpenFlags};
use nix::errno::Errno;
use std::fs::File;

/// What a pretended path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    Link(&'static str),
}

#[derive(Debug, Default)]
pub(super) struct Files(Vec<(&'static str, FakeFile)>);

impl Fake {
    /// Puts something at an absolute path; the folders that it is in must have been put before.
    pub fn put(&self, path: &'static str, file: FakeFile) {
        let files = &mut self.0.borrow_mut().files.0;
        files.retain(|(other, _)| *other != path);
        files.push((path, file));
    }
}

impl Files {
    fn at(&self, path: &str) -> Option<FakeFile> {
        if path.is_empty() {
            return Some(FakeFile::Folder);
        }
        self.0.iter().find(|(other, _)| *other == path).map(|(_, file)| *file)
    }
}

/// `/dev/null` under its own name; nothing else is there.
pub(super) fn open_file(path: &[u8], flags: OpenFlags) -> Result<File, Errno> {
    if path != b"/dev/null" {
        return Err(Errno::ENOENT);
    }
    let opened = File::options().read(flags.read).write(flags.write).open("/dev/null");
    opened.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EIO as i32)))
}

/// See [`crate::System::locate`]. Trees are told by the text of paths: here nothing moves, and nothing is mounted.
pub(super) fn locate(state: &State, path: &[u8], trees: &[&str]) -> Result<Located, Errno> {
    let path = str::from_utf8(path).map_err(|_| Errno::EINVAL)?;
    let (mut real, mut by_link) = (String::new(), false);
    let mut ahead: Vec<&str> = path.split('/').rev().filter(|step| !matches!(*step, "" | ".")).collect();
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
                ahead.extend(target.split('/').rev().filter(|step| !step.is_empty()));
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
    let (within, others): (Vec<usize>, Vec<usize>) = (0..trees.len()).partition(|position| lies_in(trees[*position]));
    let null = || File::open("/dev/null").map_err(|_| Errno::EIO);
    let found = match (kind, errno) {
        (_, Some(errno)) => Found::Nothing(errno),
        (ObjectKind::Missing, None) => Found::Place { folder: null()?.into(), name: Vec::new() },
        _ => Found::Object(null()?.into()),
    };
    let perhaps = if has_other_names { others } else { Vec::new() };
    Ok(Located { found, path: real.into_bytes(), kind, size, has_other_names, by_link, within, perhaps })
}

/// See [`crate::System::open_located`]. Notes what is opened or made, and how.
pub(super) fn open_located(state: &mut State, located: &Located, flags: OpenFlags) -> Result<File, Errno> {
    let deed = match &located.found {
        Found::Object(_) if located.kind == ObjectKind::Folder && flags.write => return Err(Errno::EISDIR),
        Found::Object(_) if flags.truncate => "empty",
        Found::Object(_) => "open",
        Found::Place { .. } if flags.create => "make",
        Found::Place { .. } => return Err(Errno::ENOENT),
        Found::Nothing(errno) => return Err(*errno),
    };
    state.note(deed, &located.path);
    open_file(b"/dev/null", flags)
}
