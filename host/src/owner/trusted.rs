//! Reading what only the owner can have written.
//!
//! Who can write the policy decides what clients may do, so a file counts only if nobody but root, or the user that runs the
//! agent, can change it or put another in its place. Links are followed by hand, for the folder in which each of them
//! stands must be as safe as the file at the end.

use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use nix::unistd::Uid;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// How long a file of the policy may be, in bytes. It bounds what a file that grew by accident, or is none of ours, costs at
/// every start; the longest profile of the package has 2 KiB, and a rule some hundred bytes.
const FILE: u64 = 1 << 20;

/// How many drop-ins count. It bounds a folder that some tool fills without end; people write a handful, and a tool that
/// writes one for each of its own rules some dozen.
const DROP_INS: usize = 256;

/// How many links may follow each other. It bounds a circle of links; packages and configuration management make chains of
/// two or three.
const LINKS: usize = 8;

/// The bits of a mode that let others than the file's owner write.
const OTHERS_WRITE: u32 = 0o022;

/// In a folder with this bit nobody can replace a file that is another's.
const STICKY: u32 = 0o1000;

/// Why something is not read.
#[derive(Debug, Error)]
pub enum TrustError {
    /// A file or folder cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can write it.
    #[error("{} can be written by others, who would decide what clients may do: chmod go-w {0}", path.display())]
    Writable {
        /// Which file or folder.
        path: PathBuf,
    },
    /// It is a folder for everybody, such as /tmp.
    #[error("{} is for everybody, and anybody could add to the policy there: give it a folder of its own", path.display())]
    Shared {
        /// Which folder.
        path: PathBuf,
    },
    /// It belongs to somebody else.
    #[error("{} belongs to user {uid}, who would decide what clients may do: chown root {0}", path.display())]
    Foreign {
        /// Which file or folder.
        path: PathBuf,
        /// Whose.
        uid: u32,
    },
    /// It is a folder, a FIFO or a device.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// Which.
        path: PathBuf,
    },
    /// It is too long.
    #[error("{} is longer than 1 MiB: that is no policy", path.display())]
    TooLong {
        /// Which.
        path: PathBuf,
    },
    /// It is no text.
    #[error("{} is not UTF-8", path.display())]
    NotText {
        /// Which.
        path: PathBuf,
    },
    /// The folder has too many files.
    #[error("{} has more than {DROP_INS} drop-ins", path.display())]
    TooMany {
        /// Which folder.
        path: PathBuf,
    },
}

/// The text of a file; nothing if there is none at `path`. A link that leads nowhere is an error: somebody meant a file.
pub(super) fn read(path: &Path) -> Result<Option<String>, TrustError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(unreadable(path, source)),
        Ok(_) => {}
    }
    check_folder(folder_of(path))?;
    let path = &behind_links(path)?;
    // What a FIFO would wait for does not come; what is not ours to read is found out from the open file.
    let open = File::options().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path);
    let file = open.map_err(|source| unreadable(path, source))?;
    let metadata = file.metadata().map_err(|source| unreadable(path, source))?;
    if !metadata.is_file() {
        return Err(TrustError::NotAFile { path: path.to_owned() });
    }
    check(path, &metadata, OTHERS_WRITE)?;
    let mut bytes = Vec::new();
    file.take(FILE + 1).read_to_end(&mut bytes).map_err(|source| unreadable(path, source))?;
    if bytes.len() as u64 > FILE {
        return Err(TrustError::TooLong { path: path.to_owned() });
    }
    String::from_utf8(bytes).map(Some).map_err(|_| TrustError::NotText { path: path.to_owned() })
}

/// The drop-ins of a folder, sorted: every name that ends with `.toml` and does not begin with a dot. None if there is no
/// such folder.
pub(super) fn drop_ins(folder: &Path) -> Result<Vec<PathBuf>, TrustError> {
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
        if !is_hidden && path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
        if paths.len() > DROP_INS {
            return Err(TrustError::TooMany { path: folder.to_owned() });
        }
    }
    paths.sort();
    Ok(paths)
}

/// Where a path leads that may be a link.
fn behind_links(path: &Path) -> Result<PathBuf, TrustError> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let target = match fs::read_link(&path) {
            Ok(target) => folder_of(&path).join(target),
            Err(error) if error.kind() == ErrorKind::InvalidInput => return Ok(path),
            Err(source) => return Err(unreadable(&path, source)),
        };
        let folder = folder_of(&target);
        let metadata = fs::metadata(folder).map_err(|source| unreadable(folder, source))?;
        // Nothing is listed there, so all that matters is that what the link means cannot be replaced.
        let forbidden = if metadata.mode() & STICKY == 0 { OTHERS_WRITE } else { 0 };
        check(folder, &metadata, forbidden)?;
        path = target;
    }
    Err(unreadable(&path, io::Error::other("too many links")))
}

/// Whether nobody else can put a file into `folder`, or another folder in its place.
fn check_folder(folder: &Path) -> Result<(), TrustError> {
    let folder = fs::canonicalize(folder).map_err(|source| unreadable(folder, source))?;
    for (steps, above) in folder.ancestors().enumerate() {
        let metadata = fs::metadata(above).map_err(|source| unreadable(above, source))?;
        // What lies in a sticky folder its owner alone can replace; but anybody can put a drop-in beside it.
        let is_safe = steps > 0 && metadata.mode() & STICKY != 0;
        check(above, &metadata, if is_safe { 0 } else { OTHERS_WRITE })?;
    }
    Ok(())
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
mod tests {
    use super::*;
    use crate::owner::scratch::Scratch;
    use nix::sys::stat::Mode;
    use nix::unistd::{chown, mkfifo};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn said(path: &Path) -> String {
        read(path).unwrap_err().to_string()
    }

    #[test]
    fn what_others_can_write_is_not_read() {
        let scratch = Scratch::new("writable");
        let file = scratch.file("policy.toml", "x");
        assert_eq!(read(&file).unwrap().as_deref(), Some("x"));
        for mode in [0o664, 0o646] {
            chmod(&file, mode);
            assert!(said(&file).ends_with(&format!(": chmod go-w {}", file.display())));
        }
        chmod(&file, 0o644);
        chmod(scratch.path(), 0o1777);
        assert!(said(&file).contains("is for everybody"), "to change its mode would be bad advice");
        for mode in [0o775, 0o777] {
            chmod(scratch.path(), mode);
            assert!(said(&file).ends_with(&format!(": chmod go-w {}", scratch.path().display())));
            assert!(drop_ins(scratch.path()).is_err());
        }
    }

    #[test]
    fn a_folder_that_others_can_replace_is_as_bad_as_the_file() {
        let scratch = Scratch::new("above");
        let file = scratch.folder("above").join("policy.toml");
        fs::write(&file, "x").unwrap();
        chmod(scratch.path(), 0o777);
        assert!(said(&file).ends_with(&format!(": chmod go-w {}", scratch.path().display())));
        chmod(scratch.path(), 0o1777);
        assert_eq!(read(&file).unwrap().as_deref(), Some("x"), "as in /tmp: nobody can replace what is root's");
    }

    #[test]
    fn what_belongs_to_another_is_not_read() {
        if !Uid::effective().is_root() {
            println!("skipped: only root can give a file away");
            return;
        }
        let scratch = Scratch::new("foreign");
        let file = scratch.file("policy.toml", "x");
        chown(&file, Some(Uid::from_raw(65534)), None).unwrap();
        assert!(said(&file).contains("belongs to user 65534"));
        chown(&file, Some(Uid::from_raw(0)), None).unwrap();
        chown(scratch.path(), Some(Uid::from_raw(65534)), None).unwrap();
        assert!(said(&file).ends_with(&format!(": chown root {}", scratch.path().display())));
    }

    #[test]
    fn a_link_is_as_good_as_what_it_leads_to() {
        let scratch = Scratch::new("links");
        let (folder, link) = (scratch.folder("there"), scratch.path().join("policy.toml"));
        fs::write(folder.join("file"), "x").unwrap();
        symlink("there/second", &link).unwrap();
        symlink("file", folder.join("second")).unwrap();
        assert_eq!(read(&link).unwrap().as_deref(), Some("x"));
        chmod(&folder, 0o1777);
        assert_eq!(read(&link).unwrap().as_deref(), Some("x"), "nobody can replace a file of root there");
        chmod(&folder, 0o777);
        assert!(said(&link).contains("can be written by others"));
        chmod(&folder, 0o755);
        chmod(&folder.join("file"), 0o666);
        assert!(said(&link).contains("can be written by others"));
        fs::remove_file(folder.join("file")).unwrap();
        assert!(said(&link).starts_with("cannot read "), "it leads nowhere, which is not the same as no policy");
        symlink("second", folder.join("file")).unwrap();
        assert!(read(&link).is_err(), "a circle ends");
    }

    #[test]
    fn only_short_regular_text_is_read() {
        let scratch = Scratch::new("regular");
        assert_eq!(read(&scratch.path().join("none")).unwrap(), None);
        let fifo = scratch.path().join("fifo");
        mkfifo(&fifo, Mode::from_bits_truncate(0o600)).unwrap();
        assert!(matches!(read(&fifo), Err(TrustError::NotAFile { .. })), "and nobody waits for a writer");
        assert!(matches!(read(&scratch.folder("folder")), Err(TrustError::NotAFile { .. })));
        let file = scratch.file("long", "");
        File::options().write(true).open(&file).unwrap().set_len(FILE).unwrap();
        assert_eq!(read(&file).unwrap().map(|text| text.len() as u64), Some(FILE));
        File::options().write(true).open(&file).unwrap().set_len(FILE + 1).unwrap();
        assert!(matches!(read(&file), Err(TrustError::TooLong { .. })));
        fs::write(&file, b"\xff").unwrap();
        assert!(matches!(read(&file), Err(TrustError::NotText { .. })));
    }

    #[test]
    fn drop_ins_are_sorted_and_leftovers_ignored() {
        let scratch = Scratch::new("drop-ins");
        for name in ["b.toml", "a.toml", ".hidden.toml", "c.toml~", "d.toml.bak", "#e.toml#", "README"] {
            scratch.file(name, "");
        }
        let names: Vec<_> =
            drop_ins(scratch.path()).unwrap().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["a.toml", "b.toml"]);
        assert!(drop_ins(&scratch.path().join("none")).unwrap().is_empty());
        (0..=DROP_INS).for_each(|number| drop(scratch.file(&format!("{number}.toml"), "")));
        assert!(matches!(drop_ins(scratch.path()), Err(TrustError::TooMany { .. })));
    }
}
