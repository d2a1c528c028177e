//! Disks with a megabyte to give back.

use super::Fake;
use crate::{MountError, MountId, Trimmed};
use std::time::Duration;

impl crate::Trimmer for Fake {
    /// Gives back one mebibyte.
    fn trim(
        &self,
        mount_point: &[u8],
        is: Option<MountId>,
        minimum: u64,
        _limit: Duration,
    ) -> Result<Trimmed, MountError> {
        let state = &mut *self.0.borrow_mut();
        state.note("trim", mount_point);
        state.disk(mount_point, is)?;
        Ok(Trimmed { bytes: 1 << 20, minimum })
    }
}
