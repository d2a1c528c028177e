//! `guest-fsfreeze-thaw`: let file systems go on.

use crate::bindings::bulkhead::agent::freezer::{self, HookPhase};
use crate::schema::GuestFsfreezeThawArguments;
use crate::{hook, mounts};
use bulkhead_module::{CommandError, ErrorCode, MountError, log};

/// How often one file system is thawed at the most. A file system counts its freezes; nobody freezes one a hundred
/// times, and a kernel that reports success for ever must not hold the agent.
const MAX_FREEZES: u32 = 100;

/// Thaws every file system on a disk, whoever froze it, and tells how many were frozen. Never refused, so that a
/// client can always make sure.
pub fn thaw(_: GuestFsfreezeThawArguments) -> Result<i64, CommandError> {
    let points = mounts::on_disks()?;
    // First mounted, first thawed: the reverse of the order of freezing.
    let thawed = points.iter().filter(|point| thaw_point(point)).count();
    wake()?;
    i64::try_from(thawed).map_err(|_| CommandError::generic("too many file systems"))
}

/// Thaws one file system as often as it was frozen; true if it was.
pub fn thaw_point(point: &[u8]) -> bool {
    for round in 0..MAX_FREEZES {
        let (what, code) = match freezer::thaw(point) {
            Ok(()) => continue,
            Err(MountError::NotOpened(code)) => ("open", code),
            Err(MountError::Failed(code)) => ("thaw", code),
        };
        if !matches!(code, ErrorCode::Invalid | ErrorCode::NotSupported | ErrorCode::NoTty) {
            log::warning(&format!("failed to {what} {}: {}", String::from_utf8_lossy(point), code.text()));
        }
        return round > 0;
    }
    true
}

/// Leaves the frozen state and runs the hook script, so that applications go on.
pub fn wake() -> Result<(), CommandError> {
    freezer::end()
        .map_err(|code| CommandError::generic(format!("failed to leave the frozen state: {}", code.text())))?;
    hook::run(HookPhase::Thaw)
}
