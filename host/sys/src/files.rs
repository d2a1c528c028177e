//! Files: opening one, and finding what a path leads to before it is opened.

use crate::{Held, OpenFile, OpenFlags};
use nix::errno::Errno;

/// Opening files, by their path or as what was found.
pub trait Files {
    /// Opens a file (open(2)) close-on-exec, never as controlling terminal and without blocking. A file that is made
    /// gets mode 0666 whatever the umask, as fopen(3) clients of qemu-ga have it; one that exists keeps its mode.
    fn open_file(&self, path: &[u8], flags: OpenFlags) -> Result<OpenFile, Errno>;

    /// Finds what a client means by `path`, without opening it: nothing happens to it, whatever it is, a device or a FIFO.
    /// `trees` are the folders that a policy names. Never follows a link that is not text but a process's open file
    /// (proc_pid_fd(5)): `ELOOP`.
    fn locate(&self, path: &[u8], trees: &[&str]) -> Result<Located, Errno>;

    /// Opens just what was found, as [`Files::open_file`] would, or makes it if nothing was there; `EAGAIN` if something
    /// is there by now.
    fn open_located(&self, located: &Located, flags: OpenFlags) -> Result<OpenFile, Errno>;
}

/// Something that a path leads to, or the place where it would be.
///
/// What is said of trees and links is said of the thing itself, or, where nothing is, of the last thing on the way there.
#[derive(Debug)]
pub struct Located {
    /// What was found.
    pub found: Found,
    /// Its path without links, as the kernel has it; of what is missing, the path that it would have.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: ObjectKind,
    /// How large it is, in bytes; 0 if it is not a regular file.
    pub size: u64,
    /// Whether it may have other names: a regular file with several links.
    pub has_other_names: bool,
    /// Whether opening and reading it waits for its file system at most: a regular file, a folder, a FIFO, /dev/null and its
    /// like; no device with a driver of its own.
    pub is_plain: bool,
    /// Whether every way to it that begins in one of the trees, or at the root, meets a symbolic link.
    pub by_link: bool,
    /// The trees in which it lies, by their positions in the list that was given. What a link promises that leads nowhere
    /// lies in none.
    pub within: Vec<usize>,
    /// The trees in which it might lie by another name, another mount, or a change under way; and those that could not be
    /// looked at.
    pub perhaps: Vec<usize>,
}

/// What there is at the end of a path.
#[derive(Debug)]
pub enum Found {
    /// The thing itself (open(2), O_PATH).
    Object(Held),
    /// Nothing, but it could be made.
    Place {
        /// The folder that it would be in (open(2), O_PATH).
        folder: Held,
        /// Its name there, with the slashes that followed it.
        name: Vec<u8>,
    },
    /// Nothing, nor could anything be: what open(2) would say.
    Nothing(Errno),
}

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A device, a FIFO, a socket.
    Special,
    /// Nothing is there.
    Missing,
}
