//! `guest-fsfreeze-freeze` and `guest-fsfreeze-freeze-list`: bring file systems to rest for a backup.

use crate::bindings::bulkhead::agent::freezer::{self, HookPhase};
use crate::schema::{GuestFsfreezeFreezeArguments, GuestFsfreezeFreezeListArguments};
use crate::{hook, mounts, thaw};
use bulkhead_module::{CommandError, ErrorCode, MountError, log};

/// Freezes every file system on a disk and tells how many.
pub fn freeze(_: GuestFsfreezeFreezeArguments) -> Result<i64, CommandError> {
    run(None)
}

/// Freezes those mounted at the given points; a point that is not known is passed over.
pub fn freeze_list(arguments: GuestFsfreezeFreezeListArguments) -> Result<i64, CommandError> {
    run(arguments.mountpoints.as_deref())
}

/// Either some file systems are frozen afterwards and the agent is in the frozen state, or neither, and whatever the
/// hook script put to rest was woken again.
fn run(only: Option<&[String]>) -> Result<i64, CommandError> {
    hook::run(HookPhase::Freeze)?;
    let frozen = match freeze_all(only) {
        Ok(0) => thaw::wake().map(|()| 0),
        Ok(count) => Ok(count),
        Err(error) => {
            // The reason of the failure is worth more to the client than what the hook then says.
            if let Err(woken) = thaw::wake() {
                log::warning(&woken.desc);
            }
            Err(error)
        }
    }?;
    Ok(frozen)
}

fn freeze_all(only: Option<&[String]>) -> Result<i64, CommandError> {
    let mut mounts = mounts::on_disks()?;
    if let Some(only) = only {
        mounts.retain(|mount| only.iter().any(|wanted| wanted.as_bytes() == mount.mount_point.as_slice()));
    }
    if mounts.is_empty() {
        return Ok(0);
    }
    freezer::begin()
        .map_err(|code| CommandError::generic(format!("failed to put the frozen state on record: {}", code.text())))?;
    // Last mounted, first frozen: a file system on a loop device must rest before the one that holds its file, or it
    // could never write out.
    let mut frozen: Vec<&[u8]> = Vec::new();
    for mount in mounts.iter().rev() {
        let point = &mount.mount_point;
        match freezer::freeze_mounted(&mount.mounted()) {
            Ok(()) => frozen.push(point),
            // Another one is there by now, and that one was not asked for: as itself it has its own turn.
            Err(MountError::NotOpened(ErrorCode::CrossDevice)) => {
                let point = String::from_utf8_lossy(point);
                log::warning(&format!("the file system at {point} is left out: another one is mounted over it"));
            }
            // It cannot freeze (vfat), or somebody else froze it and will thaw it.
            Err(MountError::Failed(ErrorCode::NotSupported | ErrorCode::Busy)) => {}
            Err(error) => {
                // Thaw what was frozen here and nothing else, last frozen first.
                for point in frozen.into_iter().rev() {
                    thaw::thaw_point(point);
                }
                return Err(failed(point, error));
            }
        }
    }
    i64::try_from(frozen.len()).map_err(|_| CommandError::generic("too many file systems"))
}

fn failed(point: &[u8], error: MountError) -> CommandError {
    let point = String::from_utf8_lossy(point);
    CommandError::generic(match error {
        MountError::NotOpened(code) => format!("failed to open {point}: {}", code.text()),
        MountError::Failed(code) => format!("failed to freeze {point}: {}", code.text()),
    })
}
