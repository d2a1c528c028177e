//! `system-files`: what the system says of itself in files.

use crate::{Errno, Refusal};

interface! {
    /// What the system says of itself in files.
    SystemFiles {
        /// The bytes of a file, at most 4 MiB; `EOVERFLOW` if it is longer.
        fn read_system_file(path: Vec<u8>) -> Result<Vec<u8>, Refusal<Errno>>;

        /// The names in a folder, at most 65,536.
        fn system_entries(path: Vec<u8>) -> Result<Vec<Vec<u8>>, Refusal<Errno>>;

        /// Where a link leads, as a path from the root without links.
        fn resolve_system_link(path: Vec<u8>) -> Result<Vec<u8>, Refusal<Errno>>;
    }
}
