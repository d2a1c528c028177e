//! A system that pretends: file systems that freeze in memory, programs that only note that they were run. For tests,
//! and for trying a module without root.

mod accounts;
mod clock;
mod clock_setting;
mod disks;
mod files;
mod freezer;
mod hotplug;
mod identity;
mod mounts;
mod network;
mod power;
mod processes;
mod programs;
mod same;
mod system_files;
mod trimmer;

pub use files::FakeFile;

use crate::{
    Ending, InterfaceAddress, Kernel, KeysError, Located, LocatedProgram, MountError, MountId, OpenFile, OpenFlags,
    Program, ProgramError, Spawn, Spawned, System, Thing, Trimmed, Usage,
};
use nix::errno::Errno;
use std::cell::RefCell;
use std::fs::File;
use std::rc::Rc;
use std::time::Duration;

/// The pretended system. Clones share one state, so a test can keep a clone and look at what became of it.
#[derive(Clone, Debug, Default)]
pub struct Fake(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    disks: Vec<Disk>,
    programs: Vec<FakeProgram>,
    events: Vec<String>,
    accounts: accounts::Accounts,
    clock: clock::Clock,
    disks_health: disks::Health,
    files: files::Files,
    hardware_clock: clock_setting::HardwareClock,
    hotplug: hotplug::Hotplug,
    identity: identity::Identity,
    network: network::Network,
    power: power::Power,
    processes: processes::Processes,
    same: same::Names,
    system_files: system_files::Files,
    mounts: mounts::Mounts,
}

/// A pretended file system on a disk of its own.
#[derive(Clone, Debug)]
pub struct Disk {
    /// Where it is mounted.
    pub mount_point: String,
    /// What it answers when asked to freeze, if not that it is done.
    pub refuses_to_freeze: Option<Errno>,
    /// Whether it is frozen.
    pub frozen: bool,
}

/// A pretended program.
#[derive(Clone, Debug)]
pub struct FakeProgram {
    /// Its path.
    pub path: String,
    /// How it ends.
    pub outcome: Result<(), ProgramError>,
}

impl Fake {
    /// Mounts a disk that freezes, or that refuses to with `refuses_to_freeze`.
    pub fn mount(&self, mount_point: impl Into<String>, refuses_to_freeze: Option<Errno>) {
        let disk = Disk { mount_point: mount_point.into(), refuses_to_freeze, frozen: false };
        self.0.borrow_mut().disks.push(disk);
    }

    /// Installs a program.
    pub fn install(&self, path: impl Into<String>, outcome: Result<(), ProgramError>) {
        self.0.borrow_mut().programs.push(FakeProgram { path: path.into(), outcome });
    }

    /// What was done so far, in order: `freeze /data`, `run /sbin/poweroff`.
    pub fn events(&self) -> Vec<String> {
        self.0.borrow().events.clone()
    }

    /// The mount points that are frozen now.
    pub fn frozen(&self) -> Vec<String> {
        self.0.borrow().disks.iter().filter(|disk| disk.frozen).map(|disk| disk.mount_point.clone()).collect()
    }
}

impl System for Fake {
    fn open_file(&self, path: &[u8], flags: OpenFlags) -> Result<OpenFile, Errno> {
        files::open_file(&mut self.0.borrow_mut(), path, flags)
    }

    fn locate(&self, path: &[u8], trees: &[&str]) -> Result<Located, Errno> {
        files::locate(&self.0.borrow(), path, trees)
    }

    fn open_located(&self, located: &Located, flags: OpenFlags) -> Result<OpenFile, Errno> {
        files::open_located(&mut self.0.borrow_mut(), located, flags)
    }

    fn mount_table(&self) -> Result<File, Errno> {
        mounts::mount_table(&self.0.borrow())
    }

    fn block_device(&self, path: &[u8]) -> Result<(u32, u32), Errno> {
        mounts::block_device(&self.0.borrow(), path)
    }

    fn usage(&self, mount_point: &[u8], is: Option<MountId>, patience: Duration) -> Result<Usage, Errno> {
        mounts::usage(&self.0.borrow(), mount_point, is, patience)
    }

    fn same(&self, thing: Thing<'_>, names: &[&str]) -> Vec<usize> {
        same::same(&self.0.borrow(), thing, names)
    }

    fn btrfs_id(&self, mount_point: &[u8], is: MountId, patience: Duration) -> Result<Vec<u8>, Errno> {
        mounts::btrfs_id(&self.0.borrow(), mount_point, is, patience)
    }

    fn freeze(&self, mount_point: &[u8], is: Option<MountId>) -> Result<(), MountError> {
        freezer::freeze(&mut self.0.borrow_mut(), mount_point, is)
    }

    fn thaw(&self, mount_point: &[u8]) -> Result<(), MountError> {
        freezer::thaw(&mut self.0.borrow_mut(), mount_point)
    }

    fn trim(&self, mount_point: &[u8], is: Option<MountId>, minimum: u64, _: Duration) -> Result<Trimmed, MountError> {
        trimmer::trim(&mut self.0.borrow_mut(), mount_point, is, minimum)
    }

    fn is_executable(&self, path: &[u8]) -> bool {
        programs::find(&self.0.borrow(), path).is_some()
    }

    fn run(&self, program: &Program) -> Result<(), ProgramError> {
        programs::run(&mut self.0.borrow_mut(), program)
    }

    fn find_program(&self, name: &[u8], search_path: Option<&[u8]>) -> Result<Vec<u8>, Errno> {
        processes::find_program(&self.0.borrow(), name, search_path)
    }

    fn locate_program(&self, path: &[u8]) -> Result<LocatedProgram, Errno> {
        processes::locate_program(&self.0.borrow(), path)
    }

    fn spawn(&self, program: &Spawn) -> Result<Spawned, Errno> {
        processes::spawn(&mut self.0.borrow_mut(), program)
    }

    fn kill_group(&self, pid: i32) -> Result<(), Errno> {
        processes::kill_group(&mut self.0.borrow_mut(), pid)
    }

    fn has_ended(&self, pid: i32) -> Result<bool, Errno> {
        processes::has_ended(&self.0.borrow(), pid)
    }

    fn reap(&self, pid: i32) -> Result<Option<Ending>, Errno> {
        processes::reap(&mut self.0.borrow_mut(), pid)
    }

    fn read_system_file(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<u8>, Errno> {
        system_files::read(&self.0.borrow(), tree, path, limit)
    }

    fn system_entries(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, Errno> {
        system_files::entries(&self.0.borrow(), tree, path, limit)
    }

    fn resolve_link(&self, tree: &[u8], path: &[u8]) -> Result<Vec<u8>, Errno> {
        system_files::resolve(&self.0.borrow(), tree, path)
    }

    fn addresses(&self, limit: usize) -> Result<Vec<InterfaceAddress>, Errno> {
        network::addresses(&self.0.borrow(), limit)
    }

    fn uname(&self) -> Result<Kernel, Errno> {
        identity::uname(&self.0.borrow())
    }

    fn loads(&self) -> Result<[u64; 3], Errno> {
        identity::loads(&self.0.borrow())
    }

    fn environment(&self, name: &str) -> Option<Vec<u8>> {
        identity::environment(&self.0.borrow(), name)
    }

    fn nvme_health(&self, name: &[u8], patience: Duration) -> Result<Vec<u8>, Errno> {
        disks::nvme_health(&self.0.borrow(), name, patience)
    }

    fn now(&self) -> i64 {
        clock::now(&self.0.borrow())
    }

    fn set_time(&self, time: i64) -> Result<(), Errno> {
        clock_setting::set_time(&mut self.0.borrow_mut(), time)
    }

    fn hardware_time(&self) -> Result<i64, Errno> {
        clock_setting::hardware_time(&self.0.borrow())
    }

    fn next_hardware_second(&self, _patience: Duration) -> Result<i64, Errno> {
        clock_setting::hardware_time(&self.0.borrow())
    }

    fn set_hardware_time(&self, ahead: i64) -> Result<(), Errno> {
        clock_setting::set_hardware_time(&mut self.0.borrow_mut(), ahead)
    }

    fn set_processor(&self, id: i64, online: bool) -> Result<(), Errno> {
        hotplug::set_processor(&mut self.0.borrow_mut(), id, online)
    }

    fn set_memory_block(&self, index: u64, online: bool) -> Result<(), Errno> {
        hotplug::set_memory_block(&mut self.0.borrow_mut(), index, online)
    }

    fn kernel_sleep(&self, word: &str, _limit: Duration) -> Result<(), Errno> {
        power::kernel_sleep(&mut self.0.borrow_mut(), word)
    }

    fn read_keys(&self, user: &str, limit: usize) -> Result<Vec<u8>, KeysError> {
        accounts::read_keys(&self.0.borrow(), user, limit)
    }

    fn write_keys(&self, user: &str, text: &[u8]) -> Result<(), KeysError> {
        accounts::write_keys(&mut self.0.borrow_mut(), user, text)
    }
}

impl State {
    fn note(&mut self, what: &str, whom: &[u8]) {
        self.events.push(format!("{what} {}", String::from_utf8_lossy(whom)));
    }

    /// The disk whose mount point this is, if it is not hidden and `is` means it.
    fn disk(&mut self, mount_point: &[u8], is: Option<MountId>) -> Result<&mut Disk, MountError> {
        if is.is_some() && self.mounts.is_hidden(mount_point) {
            return Err(MountError::NotOpened(Errno::EXDEV));
        }
        let found = self.disks.iter_mut().find(|disk| disk.mount_point.as_bytes() == mount_point);
        found.ok_or(MountError::NotOpened(Errno::ENOENT))
    }
}
