//! Disks that freeze in memory, or refuse to.

use super::Fake;
use crate::{MountError, MountId};
use nix::errno::Errno;

impl crate::Freezer for Fake {
    /// Freezes a disk; one that is frozen is busy, as in the kernel.
    fn freeze(&self, mount_point: &[u8], is: Option<MountId>) -> Result<(), MountError> {
        let state = &mut *self.0.borrow_mut();
        state.note("freeze", mount_point);
        let disk = state.disk(mount_point, is)?;
        if let Some(errno) = disk.refuses_to_freeze {
            return Err(MountError::Failed(errno));
        }
        if std::mem::replace(&mut disk.frozen, true) { Err(MountError::Failed(Errno::EBUSY)) } else { Ok(()) }
    }

    /// Thaws a disk; one that is not frozen is `EINVAL`, as in the kernel.
    fn thaw(&self, mount_point: &[u8]) -> Result<(), MountError> {
        let state = &mut *self.0.borrow_mut();
        let disk = state.disk(mount_point, None)?;
        if !std::mem::replace(&mut disk.frozen, false) {
            return Err(MountError::Failed(Errno::EINVAL));
        }
        state.note("thaw", mount_point);
        Ok(())
    }
}
