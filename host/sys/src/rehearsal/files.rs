//! Files that are found and looked at, and neither emptied nor made.

use super::{absolute, missing, nothing};
use crate::{Files, Found, Located, ObjectKind, OpenFile, OpenFlags, Rehearsal, System};
use nix::errno::Errno;

impl<S: System> Files for Rehearsal<S> {
    fn open_file(&self, path: &[u8], flags: OpenFlags) -> Result<OpenFile, Errno> {
        match self.locate(path, &[]) {
            Ok(found) => self.open_located(&found, flags),
            // Links of /proc, which lead where no path does; or a kernel that cannot tell.
            Err(Errno::ELOOP | Errno::ENOSYS) => nothing(flags).map(OpenFile::from),
            Err(errno) => Err(errno),
        }
    }

    fn locate(&self, path: &[u8], trees: &[&str]) -> Result<Located, Errno> {
        let path = absolute(path);
        let located = self.real.locate(&path, trees)?;
        match located.found {
            Found::Nothing(Errno::ENOENT) if !self.reads => {
                let (located, is_supposed) = missing::locate(&self.real, &path, trees)?;
                if is_supposed {
                    self.suppose(&located.path, "a regular file");
                }
                Ok(located)
            }
            _ => Ok(located),
        }
    }

    /// As opening what was found would end.
    fn open_located(&self, located: &Located, flags: OpenFlags) -> Result<OpenFile, Errno> {
        match (&located.found, located.kind) {
            (Found::Nothing(errno), _) => Err(*errno),
            (Found::Place { .. }, _) if !flags.create => Err(Errno::ENOENT),
            (_, ObjectKind::Folder) if flags.write => Err(Errno::EISDIR),
            (Found::Object(_), ObjectKind::File) if self.reads && !flags.write => {
                self.real.open_located(located, flags)
            }
            _ => nothing(flags).map(OpenFile::from),
        }
    }
}
