//! `guest-fsfreeze-thaw`: let file systems go on.

use crate::bindings::bulkhead::agent::freezer::{self, HookPhase};
use crate::schema::GuestFsfreezeThawArguments;
use crate::{hook, mounts};
use bulkhead_module::{CommandError, ErrorCode, MountError, log};
use std::collections::BTreeSet;

/// How often one file system is thawed at the most. A file system counts its freezes; nobody freezes one a hundred
/// times, and a kernel that reports success for ever must not hold the agent.
const MAX_FREEZES: u32 = 100;

/// Thaws every file system on a disk, whoever froze it, and tells how many were frozen. Never refused, so that a
/// client can always make sure.
pub fn thaw(_: GuestFsfreezeThawArguments) -> Result<i64, CommandError> {
    let on_disks = mounts::on_disks().map(|mounts| mounts.into_iter().map(|mount| mount.mount_point).collect());
    let points = points(freezer::frozen_here(), on_disks)?;
    let thawed = points.iter().filter(|point| thaw_point(point)).count();
    wake()?;
    i64::try_from(thawed).map_err(|_| CommandError::generic("too many file systems"))
}

/// Where to thaw, in order. What this agent froze is thawed whatever the mount table says, and whether or not it can be read.
fn points(
    frozen_here: Vec<Vec<u8>>,
    on_disks: Result<Vec<Vec<u8>>, CommandError>,
) -> Result<Vec<Vec<u8>>, CommandError> {
    let on_disks = match on_disks {
        Ok(points) => points,
        Err(error) if frozen_here.is_empty() => return Err(error),
        Err(error) => {
            log::warning(&format!("thaws only what this agent has frozen: {}", error.desc));
            Vec::new()
        }
    };
    let known: BTreeSet<&[u8]> = on_disks.iter().map(Vec::as_slice).collect();
    let unknown = frozen_here.into_iter().rev().filter(|point| !known.contains(point.as_slice()));
    // First mounted, first thawed: the reverse of the order of freezing.
    let mut points: Vec<_> = unknown.collect();
    points.extend(on_disks);
    Ok(points)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(points: &[&str]) -> Vec<Vec<u8>> {
        points.iter().map(|point| point.as_bytes().to_vec()).collect()
    }

    #[test]
    fn what_was_frozen_here_is_among_them_and_the_order_is_that_of_the_table() {
        let both = points(texts(&["/data", "/gone", "/"]), Ok(texts(&["/", "/data", "/srv"])));
        assert_eq!(both.unwrap(), texts(&["/gone", "/", "/data", "/srv"]));
        assert_eq!(points(Vec::new(), Ok(texts(&["/"]))).unwrap(), texts(&["/"]));
    }

    #[test]
    fn without_a_table_only_who_froze_knows_where() {
        let broken = || Err(CommandError::generic("broken"));
        assert_eq!(points(Vec::new(), broken()).unwrap_err().desc, "broken");
    }
}
