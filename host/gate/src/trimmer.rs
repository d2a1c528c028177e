//! `trimmer`: discarding unused blocks.

use crate::{Gate, GateError, MountError, MountId, Trimmed};
use bulkhead_catalog::Capability;
use bulkhead_policy::Ask;
use bulkhead_sys::Thing;

impl Gate {
    /// Trims the file system mounted at `mount_point`, if the request has time left for it; no other than `is`, if that is told.
    pub fn trim(
        &self,
        module: &str,
        mount_point: &[u8],
        is: Option<MountId>,
        minimum: u64,
    ) -> Result<Trimmed, GateError<MountError>> {
        let policy = self.policy();
        let also = self.also(&policy, (module, Capability::Trimmer, "mount-points"), Thing::MountPoint(mount_point));
        self.require(module, Capability::Trimmer, &[("mount-points", Ask::Thing { name: mount_point, also: &also })])?;
        let trimmed = self.allow_trim(|limit| self.system.trim(mount_point, is, minimum, limit));
        Ok(trimmed.map_err(MountError::Failed)??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use bulkhead_sys::Fake;

    #[test]
    fn only_a_mount_point_that_was_granted_is_trimmed() {
        let system = Fake::default();
        system.mount("/data", None);
        system.mount("/", None);
        let rules = "[[permit]]\ncapability = \"trimmer\"\nmodules = [\"filesystem\"]\nmount-points = [\"/data\"]\n\
                     reason = \"x\"\n";
        let gate = testing::with(&system, rules);
        assert!(matches!(gate.trim("filesystem", b"/", None, 0), Err(GateError::Denied { .. })));
        assert!(matches!(gate.trim("report", b"/data", None, 0), Err(GateError::Denied { .. })));
        assert!(gate.trim("filesystem", b"/data", None, 0).is_ok());
    }
}
