//! A system that pretends: file systems that freeze in memory, programs that only note that they were run. For tests,
//! and for trying a module without root.

mod files;
mod freezer;
mod mounts;
mod programs;
mod trimmer;

use crate::{MountError, OpenFlags, Program, ProgramError, System, Trimmed};
use nix::errno::Errno;
use std::cell::RefCell;
use std::fs::File;
use std::rc::Rc;

/// The pretended system. Clones share one state, so a test can keep a clone and look at what became of it.
#[derive(Clone, Debug, Default)]
pub struct Fake(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    disks: Vec<Disk>,
    programs: Vec<FakeProgram>,
    events: Vec<String>,
}

/// A pretended file system on a disk of its own.
#[derive(Clone, Debug)]
pub struct Disk {
    /// Where it is mounted.
    pub mount_point: &'static str,
    /// What it answers when asked to freeze, if not that it is done.
    pub refuses_to_freeze: Option<Errno>,
    /// Whether it is frozen.
    pub frozen: bool,
}

/// A pretended program.
#[derive(Clone, Debug)]
pub struct FakeProgram {
    /// Its path.
    pub path: &'static str,
    /// How it ends.
    pub outcome: Result<(), ProgramError>,
}

impl Fake {
    /// Mounts a disk that freezes, or that refuses to with `refuses_to_freeze`.
    pub fn mount(&self, mount_point: &'static str, refuses_to_freeze: Option<Errno>) {
        self.0.borrow_mut().disks.push(Disk { mount_point, refuses_to_freeze, frozen: false });
    }

    /// Installs a program.
    pub fn install(&self, path: &'static str, outcome: Result<(), ProgramError>) {
        self.0.borrow_mut().programs.push(FakeProgram { path, outcome });
    }

    /// What was done so far, in order: `freeze /data`, `run /sbin/poweroff`.
    pub fn events(&self) -> Vec<String> {
        self.0.borrow().events.clone()
    }

    /// The mount points that are frozen now.
    pub fn frozen(&self) -> Vec<&'static str> {
        self.0.borrow().disks.iter().filter(|disk| disk.frozen).map(|disk| disk.mount_point).collect()
    }
}

impl System for Fake {
    fn open_file(&self, path: &[u8], flags: OpenFlags) -> Result<File, Errno> {
        files::open_file(path, flags)
    }

    fn mountinfo(&self, limit: usize) -> Result<Vec<u8>, Errno> {
        mounts::mountinfo(&self.0.borrow(), limit)
    }

    fn block_device(&self, _path: &[u8]) -> Result<(u32, u32), Errno> {
        Err(Errno::ENODEV)
    }

    fn freeze(&self, mount_point: &[u8]) -> Result<(), MountError> {
        freezer::freeze(&mut self.0.borrow_mut(), mount_point)
    }

    fn thaw(&self, mount_point: &[u8]) -> Result<(), MountError> {
        freezer::thaw(&mut self.0.borrow_mut(), mount_point)
    }

    fn trim(&self, mount_point: &[u8], minimum: u64) -> Result<Trimmed, MountError> {
        trimmer::trim(&mut self.0.borrow_mut(), mount_point, minimum)
    }

    fn is_executable(&self, path: &[u8]) -> bool {
        programs::find(&self.0.borrow(), path).is_some()
    }

    fn run(&self, program: &Program) -> Result<(), ProgramError> {
        programs::run(&mut self.0.borrow_mut(), program)
    }
}

impl State {
    fn note(&mut self, what: &str, whom: &[u8]) {
        self.events.push(format!("{what} {}", String::from_utf8_lossy(whom)));
    }

    fn disk(&mut self, mount_point: &[u8]) -> Result<&mut Disk, MountError> {
        let found = self.disks.iter_mut().find(|disk| disk.mount_point.as_bytes() == mount_point);
        found.ok_or(MountError::NotOpened(Errno::ENOENT))
    }
}
