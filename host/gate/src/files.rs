//! `files`: opening. Reading and writing an open file needs no privilege and no gate.

use crate::{Capability, Errno, Gate, GateError, OpenFlags};
use std::fs::File;

impl Gate {
    /// Opens the file at `path` for `module`.
    pub fn open_file(&self, module: &str, path: &str, flags: OpenFlags) -> Result<File, GateError<Errno>> {
        self.require(module, Capability::Files)?;
        Ok(self.system.open_file(path.as_bytes(), flags)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_sys::Fake;

    #[test]
    fn only_the_module_that_was_granted_files_opens_one() {
        let gate = Gate::new(Box::new(Fake::default()), None);
        let flags = OpenFlags { read: true, ..OpenFlags::default() };
        assert!(gate.open_file("file", "/dev/null", flags).is_ok());
        assert!(matches!(gate.open_file("file", "/absent", flags), Err(GateError::Failed(Errno::ENOENT))));
        assert!(matches!(gate.open_file("power", "/dev/null", flags), Err(GateError::Denied { .. })));
    }
}
