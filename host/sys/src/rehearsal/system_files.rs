//! System files as they are, and those of processors and memory that are not there.

use crate::{Rehearsal, System, SystemFiles};
use nix::errno::Errno;

/// What a file of a processor or a block of memory says that is taken to be there: it is in use.
const IN_USE: &[(&[u8], &[u8])] = &[(b"cpu/cpu", b"1\n"), (b"memory/memory", b"online\n")];

impl<S: System> SystemFiles for Rehearsal<S> {
    fn read_system_file(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<u8>, Errno> {
        match self.real.read_system_file(tree, path, limit) {
            Err(Errno::ENOENT) => {
                let prefix = |kind: &[u8]| [b"devices/system/", kind].concat();
                let known = IN_USE.iter().find(|(kind, _)| tree == b"/sys" && path.starts_with(&prefix(kind)));
                let (_, text) = known.ok_or(Errno::ENOENT)?;
                let folder = &path[..path.iter().rposition(|byte| *byte == b'/').unwrap_or_default()];
                if self.real.system_entries(tree, folder, usize::MAX >> 8).err() != Some(Errno::ENOENT) {
                    // There, but it cannot be switched.
                    return Err(Errno::ENOENT);
                }
                self.suppose(&[tree, b"/", folder].concat(), "one that is in use");
                Ok(text.to_vec())
            }
            other => other,
        }
    }

    fn system_entries(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, Errno> {
        self.real.system_entries(tree, path, limit)
    }

    fn resolve_link(&self, tree: &[u8], path: &[u8]) -> Result<Vec<u8>, Errno> {
        self.real.resolve_link(tree, path)
    }
}
