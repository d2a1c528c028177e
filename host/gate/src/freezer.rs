//! `freezer`: one file system at a time.

use crate::{Capability, Gate, GateError, MountError};

impl Gate {
    /// Freezes the file system mounted at `mount_point`.
    pub fn freeze(&self, module: &str, mount_point: &[u8]) -> Result<(), GateError<MountError>> {
        self.require(module, Capability::Freezer)?;
        Ok(self.system.freeze(mount_point)?)
    }

    /// Thaws it, once.
    pub fn thaw(&self, module: &str, mount_point: &[u8]) -> Result<(), GateError<MountError>> {
        self.require(module, Capability::Freezer)?;
        Ok(self.system.thaw(mount_point)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Errno;
    use bulkhead_sys::Fake;

    #[test]
    fn the_systems_refusal_is_passed_on_as_it_is() {
        let system = Fake::default();
        system.mount("/data", Some(Errno::EIO));
        let gate = Gate::new(Box::new(system.clone()), None);
        assert_eq!(gate.freeze("filesystem", b"/data"), Err(GateError::Failed(MountError::Failed(Errno::EIO))));
        assert_eq!(gate.thaw("filesystem", b"/data"), Err(GateError::Failed(MountError::Failed(Errno::EINVAL))));
        assert_eq!(system.events(), ["freeze /data"]);
    }

    #[test]
    fn a_module_without_the_grant_reaches_nothing() {
        let system = Fake::default();
        system.mount("/data", None);
        let gate = Gate::new(Box::new(system.clone()), None);
        assert!(matches!(gate.freeze("file", b"/data"), Err(GateError::Denied { .. })));
        assert_eq!(system.events(), [""; 0]);
    }
}
