//! A system that pretends: file systems that freeze in memory, programs that only note that they were run. For tests,
//! and for trying a module without root.

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

pub use files::FakeFile;

use crate::{MountError, MountId, ProgramError};
use nix::errno::Errno;
use std::cell::RefCell;
use std::rc::Rc;

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
    same: names::Names,
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
