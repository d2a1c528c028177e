//! Disks with a megabyte to give back.

use super::State;
use crate::{MountError, MountId, Trimmed};

/// Gives back one mebibyte.
pub(super) fn trim(
    state: &mut State,
    mount_point: &[u8],
    is: Option<MountId>,
    minimum: u64,
) -> Result<Trimmed, MountError> {
    state.note("trim", mount_point);
    state.disk(mount_point, is)?;
    Ok(Trimmed { bytes: 1 << 20, minimum })
}
