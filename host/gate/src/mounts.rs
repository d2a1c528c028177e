//! `mounts`: reading the mount table, and asking file systems how full they are.

use crate::{Capability, Errno, Gate, GateError, Usage};
use std::time::Duration;

/// The longest mount table that is read, in bytes. It bounds what a VM with runaway mounts (containers leak them) can
/// make the agent hold; some twenty thousand mounts fit.
const TABLE_LIMIT: usize = 4 * 1024 * 1024;

/// How long a file system may take to say how full it is. One on a disk knows at once; one behind a server or a driver
/// that hangs never does, and its owner needs the sizes of the others.
const USAGE_PATIENCE: Duration = Duration::from_secs(2);

impl Gate {
    /// The text of the mount table.
    pub fn mountinfo(&self, module: &str) -> Result<Vec<u8>, GateError<Errno>> {
        // A thaw begins with it.
        if !self.is_frozen() {
            self.require(module, Capability::Mounts, &[])?;
        }
        Ok(self.system.mountinfo(TABLE_LIMIT)?)
    }

    /// Major and minor number of a block device.
    pub fn block_device(&self, module: &str, path: &[u8]) -> Result<(u32, u32), GateError<Errno>> {
        self.require(module, Capability::Mounts, &[])?;
        Ok(self.system.block_device(path)?)
    }

    /// How full the file system mounted at `mount_point` is.
    pub fn usage(&self, module: &str, mount_point: &[u8]) -> Result<Usage, GateError<Errno>> {
        self.require(module, Capability::Mounts, &[])?;
        Ok(self.system.usage(mount_point, USAGE_PATIENCE)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Standing, testing};
    use bulkhead_sys::Fake;

    #[test]
    fn who_has_to_thaw_may_look_where() {
        let gate = testing::with(&Fake::default(), "");
        assert!(matches!(gate.mountinfo("filesystem"), Err(GateError::Denied { .. })));
        gate.begin(Standing { frozen: true, ..Standing::default() });
        assert!(gate.mountinfo("filesystem").is_ok());
        gate.end();
        assert!(gate.mountinfo("filesystem").is_err());
    }
}
