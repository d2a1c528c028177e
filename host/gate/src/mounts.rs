//! `mounts`: reading the mount table.

use crate::{Capability, Errno, Gate, GateError};

/// The longest mount table that is read, in bytes. It bounds what a VM with runaway mounts (containers leak them) can
/// make the agent hold; some twenty thousand mounts fit.
const TABLE_LIMIT: usize = 4 * 1024 * 1024;

impl Gate {
    /// The text of the mount table.
    pub fn mountinfo(&self, module: &str) -> Result<Vec<u8>, GateError<Errno>> {
        self.require(module, Capability::Mounts)?;
        Ok(self.system.mountinfo(TABLE_LIMIT)?)
    }

    /// Major and minor number of a block device.
    pub fn block_device(&self, module: &str, path: &[u8]) -> Result<(u32, u32), GateError<Errno>> {
        self.require(module, Capability::Mounts)?;
        Ok(self.system.block_device(path)?)
    }
}
