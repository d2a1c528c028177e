//! `trimmer`: discarding unused blocks.

use crate::{Capability, Gate, GateError, MountError, Trimmed};

impl Gate {
    /// Trims the file system mounted at `mount_point`.
    pub fn trim(&self, module: &str, mount_point: &[u8], minimum: u64) -> Result<Trimmed, GateError<MountError>> {
        self.require(module, Capability::Trimmer)?;
        Ok(self.system.trim(mount_point, minimum)?)
    }
}
