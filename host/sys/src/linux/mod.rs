//! The real system.

// One file for each capability, in the order of `bulkhead-border`.
mod files;
mod mounts;

mod freezer;
mod power;
mod trimmer;

mod processes;

mod clock;
mod disks;
mod identity;
mod network;
mod system_files;

mod accounts;
mod clock_setting;
mod hotplug;

// What serves several of them.
mod names;
mod programs;

// Helpers.
#[cfg(test)]
mod filter;
mod lookup;
mod patience;

pub use files::OpenFile;
pub use patience::Held;

use crate::{MountError, MountId};
use files::{Facts, Look, Object, STRAIGHT, is_local, link_to, look_up};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, open};
use nix::sys::stat::{Mode, fstat, major, minor};
use patience::Kept;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The Linux we run on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Linux;

/// For a mount point to which an ioctl(2) is sent. What else may be there is not waited for.
const AT_MOUNT_POINT: OFlag = OFlag::O_RDONLY.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

/// Does something with a mount point that is open, an ioctl(2) for its file system. Where the file system has a driver that may
/// keep everybody waiting who opens something, another thread does it. Nothing is done if it `is` another one.
fn at_mount_point(
    path: &[u8],
    is: Option<MountId>,
    act: fn(BorrowedFd<'_>) -> Result<(), Errno>,
) -> Result<(), MountError> {
    let theirs = path.to_vec();
    let look = move |look: &Look| {
        let found = Object::find(look, AT_FDCWD, &theirs, STRAIGHT)?;
        is_the_one(&found.descriptor, is)?;
        Ok(look.hold(found.descriptor))
    };
    let opened = match look_up(("mount point", path.to_vec()), look) {
        Ok(Held::Ours(held)) => open(link_to(&held).as_str(), AT_MOUNT_POINT, Mode::empty()),
        Ok(Held::Theirs(_)) => {
            let theirs = path.to_vec();
            let opened = patience::ask(("mount point", path.to_vec()), files::PATIENCE, move || {
                let opened = match open_mount_point(&theirs, is) {
                    Ok(opened) => opened,
                    Err(error) => return Ok(Err(error)),
                };
                if is_local(Facts::of(&Look::patiently(), &opened)?.mount) {
                    return Ok(Ok(Some(Kept::new(opened))));
                }
                Ok(act(opened.as_fd()).map(|()| None).map_err(MountError::Failed))
            });
            match opened.map_err(MountError::NotOpened)?? {
                Some(kept) => kept.take(),
                None => return Ok(()),
            }
        }
        Err(errno) => Err(errno),
    };
    act(opened.map_err(MountError::NotOpened)?.as_fd()).map_err(MountError::Failed)
}

/// Opens a mount point so that an ioctl(2) can be sent to its file system, and waits for that.
fn open_mount_point(path: &[u8], is: Option<MountId>) -> Result<OwnedFd, MountError> {
    reach_mount_point(path, is, AT_MOUNT_POINT).map_err(MountError::NotOpened)
}

/// What is at a mount point, waited for. There are no links in the paths of the kernel's own table, so one that has some is not
/// what was judged.
fn reach_mount_point(path: &[u8], is: Option<MountId>, flags: OFlag) -> Result<OwnedFd, Errno> {
    let reached = lookup::open(AT_FDCWD, path, flags, STRAIGHT)?;
    is_the_one(&reached, is)?;
    Ok(reached)
}

/// A path is not a file system: another one may have been mounted over it, or over a folder on the way, and then that one is
/// reached. So what was reached is looked at; `EXDEV` if it is not the one that was meant.
fn is_the_one(reached: &OwnedFd, is: Option<MountId>) -> Result<(), Errno> {
    match is {
        Some(id) if !is_of(reached, id)? => Err(Errno::EXDEV),
        _ => Ok(()),
    }
}

fn is_of(reached: &OwnedFd, id: MountId) -> Result<bool, Errno> {
    if lookup::mount_of(reached) == Some(id.mount) {
        return Ok(true);
    }
    let device = fstat(reached)?.st_dev;
    Ok((major(device), minor(device)) == (id.device.0.into(), id.device.1.into()))
}

/// The errno of a failed input or output. One that the standard library made up itself has none: `EIO`.
fn errno(error: std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EIO as i32))
}
