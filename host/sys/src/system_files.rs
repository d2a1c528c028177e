//! Files in which the system tells of itself.

use nix::errno::Errno;

/// Reading system files, below a folder that they may not lead out of.
pub trait SystemFiles {
    /// The bytes of the regular file at `path` below the folder `tree`; `EOVERFLOW` if it is longer than `limit` bytes,
    /// `EINVAL` if it is not a regular file, `EXDEV` if a link on the way leads out of the tree (openat2(2)). Never blocks.
    fn read_system_file(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<u8>, Errno>;

    /// The names in the folder at `path` below `tree`, in the kernel's order; `EOVERFLOW` if there are more than `limit`,
    /// or their text is longer than 32 bytes for each of so many.
    fn system_entries(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, Errno>;

    /// Where the link at `path` below `tree` leads, as a path from the root without links (realpath(3)); `EINVAL` if it is
    /// no link, `EXDEV` if it leads out of the tree.
    fn resolve_link(&self, tree: &[u8], path: &[u8]) -> Result<Vec<u8>, Errno>;
}
