//! Reading what only the owner can have written: the policy, the keys of vendors, modules.
//!
//! Whoever can write these decides what clients may do and what runs, so a file counts only if nobody but root, or the
//! user that runs the agent, can change it or put another in its place.
//!
//! ```text
//! read, read_bytes, check_file    a file that the owner names; links are followed by hand, for the folder in which each of
//!                                 them stands must be as safe as the file at the end
//! drop_ins, files                 a folder of the owner's
//! is_own_folder, read_own         what the agent has made for itself; there a link is refused
//! ```
//!
//! A path that was found safe stays so until it is opened: only those who may change it can.

mod error;
mod walk;

pub use error::TrustError;

use nix::libc::{ELOOP, O_NOFOLLOW, O_NONBLOCK};
use nix::unistd::Uid;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How long a text may be, in bytes. It bounds what a file that grew by accident, or is none of ours, costs at
/// every start; the longest profile of the package has 2 KiB, a rule some hundred bytes, and a key a hundred.
const TEXT: u64 = 1 << 20;

/// How many files of a folder count. It bounds a folder that some tool fills without end; people write a handful of
/// drop-ins or keys, and a tool that writes one for each of its own rules some dozen.
const FILES: usize = 256;

/// The bits of a mode that let others than the file's owner write.
const OTHERS_WRITE: u32 = 0o022;

/// In a folder with this bit nobody can replace a file that is another's.
const STICKY: u32 = 0o1000;

/// The text of a file; nothing if there is none at `path`. A link that leads nowhere is an error: somebody meant a
/// file.
pub fn read(path: &Path) -> Result<Option<String>, TrustError> {
    let Some(bytes) = read_bytes(path, TEXT)? else { return Ok(None) };
    String::from_utf8(bytes).map(Some).map_err(|_| TrustError::NotText { path: path.to_owned() })
}

/// The bytes of a file of `limit` bytes at the most; nothing if there is none at `path`. A link that leads nowhere is
/// an error.
pub fn read_bytes(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, TrustError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(unreadable(path, source)),
        Ok(_) => {
            let (path, file) = open_behind_links(path)?;
            contents(&path, file, limit).map(Some)
        }
    }
}

/// Whether nobody else can change the file at `path`, such as a program that is about to be run. Returns where it
/// really is, since that is what was looked at.
pub fn check_file(path: &Path) -> Result<PathBuf, TrustError> {
    open_behind_links(path).map(|(path, _)| path)
}

/// The drop-ins of a folder, sorted: every name that ends with `.toml` and does not begin with a dot. None if there is
/// no such folder.
pub fn drop_ins(folder: &Path) -> Result<Vec<PathBuf>, TrustError> {
    files(folder, "toml")
}

/// The files of a folder with this extension, sorted, without those whose names begin with a dot. None if there is no
/// such folder.
pub fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, TrustError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(unreadable(folder, source)),
    };
    check_folder(folder)?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| unreadable(folder, source))?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && path.extension().is_some_and(|it| it == extension) {
            paths.push(path);
        }
        if paths.len() > FILES {
            return Err(TrustError::TooMany { path: folder.to_owned() });
        }
    }
    paths.sort();
    Ok(paths)
}

/// Whether nobody else can put a file into `folder`, or another folder in its place.
pub fn check_folder(folder: &Path) -> Result<(), TrustError> {
    let folder = walk::real(folder)?;
    let metadata = fs::metadata(&folder).map_err(|source| unreadable(&folder, source))?;
    check(&folder, &metadata, OTHERS_WRITE)
}

/// Whether there is a folder at `path` that the agent itself has made: it is no link, and nobody else can put a file
/// into it, or another folder in its place.
pub fn is_own_folder(path: &Path) -> Result<bool, TrustError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(unreadable(path, source)),
    };
    if metadata.is_symlink() {
        return Err(TrustError::Link { path: path.to_owned() });
    }
    if !metadata.is_dir() {
        return Err(TrustError::NotAFolder { path: path.to_owned() });
    }
    check_folder(path).map(|()| true)
}

/// The bytes of a file that the agent itself has made, of `limit` bytes at the most; nothing if there is none. It may
/// be no link. The folder is the caller's to judge ([`is_own_folder`]).
pub fn read_own(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, TrustError> {
    match open(path) {
        Ok(file) => contents(path, file, limit).map(Some),
        Err(TrustError::Unreadable { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn open_behind_links(path: &Path) -> Result<(PathBuf, File), TrustError> {
    check_folder(folder_of(path))?;
    let path = walk::real(path)?;
    open(&path).map(|file| (path, file))
}

fn open(path: &Path) -> Result<File, TrustError> {
    // What a FIFO would wait for does not come; what is not ours to read is found out from the open file.
    let open = File::options().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path);
    let file = open.map_err(|source| match source.raw_os_error() {
        Some(ELOOP) => TrustError::Link { path: path.to_owned() },
        _ => unreadable(path, source),
    })?;
    let metadata = file.metadata().map_err(|source| unreadable(path, source))?;
    if !metadata.is_file() {
        return Err(TrustError::NotAFile { path: path.to_owned() });
    }
    check(path, &metadata, OTHERS_WRITE)?;
    Ok(file)
}

fn contents(path: &Path, file: File, limit: u64) -> Result<Vec<u8>, TrustError> {
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|source| unreadable(path, source))?;
    if bytes.len() as u64 > limit {
        return Err(TrustError::TooLong { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

fn check(path: &Path, metadata: &Metadata, forbidden: u32) -> Result<(), TrustError> {
    let (uid, path) = (metadata.uid(), path.to_owned());
    if uid != 0 && uid != Uid::effective().as_raw() {
        return Err(TrustError::Foreign { path, uid });
    }
    match metadata.mode() {
        mode if mode & forbidden == 0 => Ok(()),
        mode if mode & STICKY != 0 => Err(TrustError::Shared { path }),
        _ => Err(TrustError::Writable { path }),
    }
}

/// The folder in which a path stands.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

fn unreadable(path: &Path, source: io::Error) -> TrustError {
    TrustError::Unreadable { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
