//! The real system.

mod accounts;
mod clock;
mod clock_setting;
mod disks;
mod files;
#[cfg(test)]
mod filter;
mod freezer;
mod hotplug;
mod identity;
mod lookup;
mod mounts;
mod network;
mod patience;
mod power;
mod processes;
mod programs;
mod same;
mod system_files;
mod trimmer;

pub use files::OpenFile;
pub use patience::Held;

use crate::{
    Ending, InterfaceAddress, Kernel, KeysError, Located, LocatedProgram, MountError, MountId, OpenFlags, Program,
    ProgramError, Spawn, Spawned, System, Thing, Trimmed, Usage,
};
use files::{Facts, Look, Object, STRAIGHT, is_local, link_to, look_up};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, open};
use nix::sys::stat::{Mode, fstat, major, minor};
use patience::Kept;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// The Linux we run on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Linux;

impl System for Linux {
    fn open_file(&self, path: &[u8], flags: OpenFlags) -> Result<OpenFile, Errno> {
        files::open_file(path, flags)
    }

    fn locate(&self, path: &[u8], trees: &[&str]) -> Result<Located, Errno> {
        files::locate(path, trees)
    }

    fn open_located(&self, located: &Located, flags: OpenFlags) -> Result<OpenFile, Errno> {
        files::open_located(located, flags)
    }

    fn mount_table(&self) -> Result<File, Errno> {
        mounts::mount_table()
    }

    fn block_device(&self, path: &[u8]) -> Result<(u32, u32), Errno> {
        mounts::block_device(path)
    }

    fn usage(&self, mount_point: &[u8], is: Option<MountId>, patience: Duration) -> Result<Usage, Errno> {
        mounts::usage(mount_point, is, patience)
    }

    fn same(&self, thing: Thing<'_>, names: &[&str]) -> Vec<usize> {
        same::same(thing, names)
    }

    fn btrfs_id(&self, mount_point: &[u8], is: MountId, patience: Duration) -> Result<Vec<u8>, Errno> {
        mounts::btrfs_id(mount_point, is, patience)
    }

    fn freeze(&self, mount_point: &[u8], is: Option<MountId>) -> Result<(), MountError> {
        freezer::freeze(mount_point, is)
    }

    fn thaw(&self, mount_point: &[u8]) -> Result<(), MountError> {
        freezer::thaw(mount_point)
    }

    fn trim(
        &self,
        mount_point: &[u8],
        is: Option<MountId>,
        minimum: u64,
        limit: Duration,
    ) -> Result<Trimmed, MountError> {
        trimmer::trim(mount_point, is, minimum, limit)
    }

    fn is_executable(&self, path: &[u8]) -> bool {
        programs::is_executable(path)
    }

    fn run(&self, program: &Program) -> Result<(), ProgramError> {
        programs::run(program)
    }

    fn find_program(&self, name: &[u8], search_path: Option<&[u8]>) -> Result<Vec<u8>, Errno> {
        processes::find_program(name, search_path)
    }

    fn locate_program(&self, path: &[u8]) -> Result<LocatedProgram, Errno> {
        processes::locate_program(path)
    }

    fn spawn(&self, program: &Spawn) -> Result<Spawned, Errno> {
        processes::spawn(program)
    }

    fn kill_group(&self, pid: i32) -> Result<(), Errno> {
        processes::kill_group(pid)
    }

    fn has_ended(&self, pid: i32) -> Result<bool, Errno> {
        processes::has_ended(pid)
    }

    fn reap(&self, pid: i32) -> Result<Option<Ending>, Errno> {
        processes::reap(pid)
    }

    fn read_system_file(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<u8>, Errno> {
        system_files::read(tree, path, limit)
    }

    fn system_entries(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, Errno> {
        system_files::entries(tree, path, limit)
    }

    fn resolve_link(&self, tree: &[u8], path: &[u8]) -> Result<Vec<u8>, Errno> {
        system_files::resolve(tree, path)
    }

    fn addresses(&self, limit: usize) -> Result<Vec<InterfaceAddress>, Errno> {
        network::addresses(limit)
    }

    fn uname(&self) -> Result<Kernel, Errno> {
        identity::uname()
    }

    fn loads(&self) -> Result<[u64; 3], Errno> {
        identity::loads()
    }

    fn environment(&self, name: &str) -> Option<Vec<u8>> {
        identity::environment(name)
    }

    fn nvme_health(&self, name: &[u8], patience: Duration) -> Result<Vec<u8>, Errno> {
        disks::nvme_health(name, patience)
    }

    fn now(&self) -> i64 {
        clock::now()
    }

    fn set_time(&self, time: i64) -> Result<(), Errno> {
        clock_setting::set_time(time)
    }

    fn hardware_time(&self) -> Result<i64, Errno> {
        clock_setting::hardware::time()
    }

    fn next_hardware_second(&self, patience: Duration) -> Result<i64, Errno> {
        clock_setting::hardware::next_second(patience)
    }

    fn set_hardware_time(&self, ahead: i64) -> Result<(), Errno> {
        clock_setting::hardware::set(ahead)
    }

    fn set_processor(&self, id: i64, online: bool) -> Result<(), Errno> {
        hotplug::set_processor(id, online)
    }

    fn set_memory_block(&self, index: u64, online: bool) -> Result<(), Errno> {
        hotplug::set_memory_block(index, online)
    }

    fn kernel_sleep(&self, word: &str, limit: Duration) -> Result<(), Errno> {
        power::kernel_sleep(word, limit)
    }

    fn read_keys(&self, user: &str, limit: usize) -> Result<Vec<u8>, KeysError> {
        accounts::read_keys(user, limit)
    }

    fn write_keys(&self, user: &str, text: &[u8]) -> Result<(), KeysError> {
        accounts::write_keys(user, text)
    }
}

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
