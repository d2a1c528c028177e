//! `freezer`: one file system at a time.

use crate::{Errno, Gate, MountError, MountId, Refusal};
use bulkhead_catalog::Capability;
use bulkhead_policy::Ask;
use bulkhead_sys::Thing;

impl Gate {
    /// Whether `module` may freeze anything at all, and so put the agent into the frozen state.
    pub fn may_freeze(&self, module: &str) -> Result<(), Refusal<Errno>> {
        self.require(module, Capability::Freezer, &[])
    }

    /// Freezes the file system mounted at `mount_point`; no other than `is`, if that is told.
    pub fn freeze(&self, module: &str, mount_point: &[u8], is: Option<MountId>) -> Result<(), Refusal<MountError>> {
        let policy = self.policy();
        let also = self.also(&policy, (module, Capability::Freezer, "mount-points"), Thing::MountPoint(mount_point));
        self.require(module, Capability::Freezer, &[("mount-points", Ask::Thing { name: mount_point, also: &also })])?;
        Ok(self.system.freeze(mount_point, is)?)
    }

    /// Thaws it, once. No policy is asked: a frozen file system must thaw, whatever has become of the policy meanwhile.
    pub fn thaw(&self, _module: &str, mount_point: &[u8]) -> Result<(), Refusal<MountError>> {
        Ok(self.system.thaw(mount_point)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use bulkhead_sys::Fake;

    #[test]
    fn the_systems_refusal_is_passed_on_as_it_is() {
        let system = Fake::default();
        system.mount("/data", Some(Errno::EIO));
        let gate = testing::full(&system);
        assert_eq!(gate.freeze("filesystem", b"/data", None), Err(Refusal::Failed(MountError::Failed(Errno::EIO))));
        assert_eq!(gate.thaw("filesystem", b"/data"), Err(Refusal::Failed(MountError::Failed(Errno::EINVAL))));
        assert_eq!(system.events(), ["freeze /data"]);
    }

    #[test]
    fn a_module_without_the_grant_reaches_nothing() {
        let system = Fake::default();
        system.mount("/data", None);
        let gate = testing::full(&system);
        assert_eq!(gate.freeze("file", b"/data", None), Err(Refusal::Denied));
        assert_eq!(gate.may_freeze("file"), Err(Refusal::Denied));
        assert_eq!(system.events(), [""; 0]);
    }

    #[test]
    fn a_file_system_is_forbidden_wherever_it_is_mounted() {
        let system = Fake::default();
        system.mount("/data", None);
        system.name_also("/data", "/srv/link");
        let rules = "[[permit]]\ncapability = \"freezer\"\nmodules = [\"filesystem\"]\nmount-points = [\"*\"]\nreason = \"x\"\n\
                     [[forbid]]\ncapability = \"freezer\"\nmount-points = [\"/srv/link\"]\nreason = \"x\"\n";
        let gate = testing::with(&system, rules);
        assert_eq!(gate.freeze("filesystem", b"/data", None), Err(Refusal::Denied));
        assert_eq!(system.events(), [""; 0]);
    }

    #[test]
    fn only_a_mount_point_that_was_granted_freezes_and_every_one_thaws() {
        let system = Fake::default();
        system.mount("/data", None);
        system.mount("/", None);
        let rules = "[[permit]]\ncapability = \"freezer\"\nmodules = [\"filesystem\"]\nmount-points = [\"/data\"]\n\
                     reason = \"x\"\n";
        let gate = testing::with(&system, rules);
        assert_eq!(gate.freeze("filesystem", b"/", None), Err(Refusal::Denied));
        assert_eq!(gate.freeze("filesystem", b"/data", None), Ok(()));
        gate.set_policy(testing::with(&system, "").policy());
        assert_eq!(gate.thaw("filesystem", b"/data"), Ok(()), "though the policy has changed meanwhile");
        assert_eq!(system.events(), ["freeze /data", "thaw /data"]);
    }
}
