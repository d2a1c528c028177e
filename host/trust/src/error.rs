//! Why something is not read.

use crate::FILES;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

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
    #[error("{} can be written by others, who would decide what the agent does: chmod go-w {0}", path.display())]
    Writable {
        /// Which file or folder.
        path: PathBuf,
    },
    /// It is a folder for everybody, such as /tmp.
    #[error("{} is for everybody, and anybody could add a file there: use a folder of its own", path.display())]
    Shared {
        /// Which folder.
        path: PathBuf,
    },
    /// It belongs to somebody else.
    #[error("{} belongs to user {uid}, who would decide what the agent does: chown root {0}", path.display())]
    Foreign {
        /// Which file or folder.
        path: PathBuf,
        /// Whose.
        uid: u32,
    },
    /// It is a link where none may be.
    #[error("{} is a link: put there what it leads to, or name that instead", path.display())]
    Link {
        /// Which.
        path: PathBuf,
    },
    /// It is a folder, a FIFO or a device.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// Which.
        path: PathBuf,
    },
    /// It is no folder.
    #[error("{} is not a folder", path.display())]
    NotAFolder {
        /// Which.
        path: PathBuf,
    },
    /// It is too long.
    #[error("{} is longer than {limit} bytes, which is the most that is read of such a file", path.display())]
    TooLong {
        /// Which.
        path: PathBuf,
        /// How long it may be, in bytes.
        limit: u64,
    },
    /// It is no text.
    #[error("{} is not UTF-8", path.display())]
    NotText {
        /// Which.
        path: PathBuf,
    },
    /// The folder has too many files.
    #[error("{} has more than {FILES} files that count", path.display())]
    TooMany {
        /// Which folder.
        path: PathBuf,
    },
}
