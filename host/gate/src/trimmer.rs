//! `trimmer`: discarding unused blocks.

use crate::{Asked, MountError, MountId, Refusal, Trimmed};
use bulkhead_border::Trimmer;
use bulkhead_catalog::Capability;
use bulkhead_policy::Ask;
use bulkhead_sys::Thing;

impl Trimmer for Asked<'_> {
    fn trim(
        &mut self,
        mount_point: Vec<u8>,
        is: Option<MountId>,
        minimum: u64,
    ) -> Result<Trimmed, Refusal<MountError>> {
        let policy = self.gate.policy();
        let thing = Thing::MountPoint(&mount_point);
        let also = self.gate.also(&policy, (self.module, Capability::Trimmer, "mount-points"), thing);
        self.require(Capability::Trimmer, &[("mount-points", Ask::Thing { name: &mount_point, also: &also })])?;
        let trimmed = self.gate.allow_trim(|limit| self.gate.system.trim(&mount_point, is, minimum, limit));
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
        assert_eq!(gate.asked_by("filesystem").trim(b"/".into(), None, 0), Err(Refusal::Denied));
        assert_eq!(gate.asked_by("report").trim(b"/data".into(), None, 0), Err(Refusal::Denied));
        assert!(gate.asked_by("filesystem").trim(b"/data".into(), None, 0).is_ok());
    }
}
