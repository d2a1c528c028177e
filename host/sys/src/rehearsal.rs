//! A system that looks and does not touch, so that an owner can ask what a request would do: where a look is harmless it
//! is the real system's, and every deed is only pretended to be done.
//!
//! What a judgement needs and is not there is taken to be there, so that a policy can be tried on another machine than
//! the VM it is for. What was taken so is noted.

mod missing;
mod mounts;
#[cfg(test)]
mod tests;

use crate::{
    Ending, Found, InterfaceAddress, Kernel, KeysError, Located, LocatedProgram, MountError, MountId, ObjectKind,
    OpenFile, OpenFlags, Program, ProgramError, Spawn, Spawned, System, Thing, Trimmed, Usage, in_memory,
};
use nix::errno::Errno;
use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

/// The number of every program that is pretended to run. No process has it: the kernel's numbers end at 2^22.
const PRETENDED: i32 = i32::MAX;

/// What a file of a processor or a block of memory says that is taken to be there: it is in use.
const IN_USE: &[(&[u8], &[u8])] = &[(b"cpu/cpu", b"1\n"), (b"memory/memory", b"online\n")];

/// A rehearsal in front of `S`, the real system.
#[derive(Debug)]
pub struct Rehearsal<S> {
    real: S,
    mount_points: Vec<String>,
    notes: Notes,
    /// Whether files are read, and what is missing is missing.
    reads: bool,
}

/// What a rehearsal took to be there. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct Notes(Rc<RefCell<Vec<String>>>);

impl Notes {
    /// Everything so far, each once and in order.
    pub fn list(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    fn add(&self, what: String) {
        let mut notes = self.0.borrow_mut();
        if !notes.contains(&what) {
            notes.push(what);
        }
    }
}

impl<S: System> Rehearsal<S> {
    /// Looks at `real`. At each of `mount_points` there is a file system on a disk, whatever the mount table says.
    pub fn new(real: S, mount_points: Vec<String>, notes: Notes) -> Self {
        Rehearsal { real, mount_points, notes, reads: false }
    }

    /// The same, but a regular file that is opened only to be read is read, and what is not there is not taken to be there: for who
    /// wants to see what a module makes of this machine.
    #[must_use]
    pub fn that_reads(self) -> Self {
        Rehearsal { reads: true, ..self }
    }

    /// Takes something to be there that is not.
    fn suppose(&self, path: &[u8], what: &str) {
        self.notes.add(format!("{} is not there and was taken for {what}", String::from_utf8_lossy(path)));
    }

    /// As opening what was found would end.
    fn pretend_to_open(&self, found: &Located, flags: OpenFlags) -> Result<OpenFile, Errno> {
        match (&found.found, found.kind) {
            (Found::Nothing(errno), _) => Err(*errno),
            (Found::Place { .. }, _) if !flags.create => Err(Errno::ENOENT),
            (_, ObjectKind::Folder) if flags.write => Err(Errno::EISDIR),
            (Found::Object(_), ObjectKind::File) if self.reads && !flags.write => self.real.open_located(found, flags),
            _ => nothing(flags).map(OpenFile::from),
        }
    }
}

/// A file with nothing in it, into which everything fits.
fn nothing(flags: OpenFlags) -> Result<File, Errno> {
    let opened = File::options().read(flags.read).write(flags.write).open("/dev/null");
    opened.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EIO as i32)))
}

/// The agent's working directory is the root.
fn absolute(path: &[u8]) -> Vec<u8> {
    if path.starts_with(b"/") || path.is_empty() { path.to_vec() } else { [b"/", path].concat() }
}

impl<S: System> System for Rehearsal<S> {
    fn open_file(&self, path: &[u8], flags: OpenFlags) -> Result<OpenFile, Errno> {
        match self.locate(path, &[]) {
            Ok(found) => self.pretend_to_open(&found, flags),
            // Links of /proc, which lead where no path does; or a kernel that cannot tell.
            Err(Errno::ELOOP | Errno::ENOSYS) => nothing(flags).map(OpenFile::from),
            Err(errno) => Err(errno),
        }
    }

    fn locate(&self, path: &[u8], trees: &[&str]) -> Result<Located, Errno> {
        let path = absolute(path);
        let located = self.real.locate(&path, trees)?;
        match located.found {
            Found::Nothing(Errno::ENOENT) if !self.reads => {
                let (located, is_supposed) = missing::locate(&self.real, &path, trees)?;
                if is_supposed {
                    self.suppose(&located.path, "a regular file");
                }
                Ok(located)
            }
            _ => Ok(located),
        }
    }

    fn open_located(&self, located: &Located, flags: OpenFlags) -> Result<OpenFile, Errno> {
        self.pretend_to_open(located, flags)
    }

    fn mount_table(&self) -> Result<File, Errno> {
        let mut table = Vec::new();
        self.real.mount_table()?.read_to_end(&mut table).map_err(|_| Errno::EIO)?;
        let (table, added) = mounts::with(table, &self.mount_points);
        added
            .iter()
            .for_each(|point| self.notes.add(format!("a file system on a disk was taken to be mounted at {point}")));
        in_memory(&table)
    }

    fn block_device(&self, path: &[u8]) -> Result<(u32, u32), Errno> {
        self.real.block_device(path)
    }

    fn usage(&self, mount_point: &[u8], is: Option<MountId>, patience: Duration) -> Result<Usage, Errno> {
        self.real.usage(mount_point, is, patience)
    }

    fn same(&self, thing: Thing<'_>, names: &[&str]) -> Vec<usize> {
        self.real.same(thing, names)
    }

    fn btrfs_id(&self, mount_point: &[u8], is: MountId, patience: Duration) -> Result<Vec<u8>, Errno> {
        self.real.btrfs_id(mount_point, is, patience)
    }

    fn freeze(&self, _mount_point: &[u8], _is: Option<MountId>) -> Result<(), MountError> {
        Ok(())
    }

    fn thaw(&self, _mount_point: &[u8]) -> Result<(), MountError> {
        // As often as it takes: it was never frozen.
        Err(MountError::Failed(Errno::EINVAL))
    }

    fn trim(
        &self,
        _mount_point: &[u8],
        _is: Option<MountId>,
        minimum: u64,
        _limit: Duration,
    ) -> Result<Trimmed, MountError> {
        Ok(Trimmed { bytes: 0, minimum })
    }

    fn is_executable(&self, _path: &[u8]) -> bool {
        true
    }

    fn run(&self, _program: &Program) -> Result<(), ProgramError> {
        Ok(())
    }

    fn find_program(&self, name: &[u8], search_path: Option<&[u8]>) -> Result<Vec<u8>, Errno> {
        match self.real.find_program(name, search_path) {
            Err(Errno::ENOENT) if !name.is_empty() && !name.contains(&b'/') => {
                let path = [b"/usr/bin/", name].concat();
                self.suppose(&path, "a program");
                Ok(path)
            }
            other => other,
        }
    }

    fn locate_program(&self, path: &[u8]) -> Result<LocatedProgram, Errno> {
        let path = absolute(path);
        match self.real.locate_program(&path) {
            Err(Errno::ENOENT) => {
                let (located, _) = missing::locate(&self.real, &path, &[])?;
                self.suppose(&located.path, "a program");
                let flags = OpenFlags { read: true, ..OpenFlags::default() };
                Ok(LocatedProgram { file: OwnedFd::from(nothing(flags)?).into(), path: located.path, is_fixed: false })
            }
            other => other,
        }
    }

    fn spawn(&self, _program: &Spawn) -> Result<Spawned, Errno> {
        Ok(Spawned { pid: PRETENDED, stdin: None, stdout: None, stderr: None })
    }

    fn kill_group(&self, _pid: i32) -> Result<(), Errno> {
        Ok(())
    }

    fn has_ended(&self, _pid: i32) -> Result<bool, Errno> {
        Ok(true)
    }

    fn reap(&self, _pid: i32) -> Result<Option<Ending>, Errno> {
        Ok(Some(Ending::Exited(0)))
    }

    fn read_system_file(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<u8>, Errno> {
        match self.real.read_system_file(tree, path, limit) {
            Err(Errno::ENOENT) => {
                let prefix = |kind: &[u8]| [b"devices/system/", kind].concat();
                let known = IN_USE.iter().find(|(kind, _)| tree == b"/sys" && path.starts_with(&prefix(kind)));
                let (_, text) = known.ok_or(Errno::ENOENT)?;
                let folder = &path[..path.iter().rposition(|byte| *byte == b'/').unwrap_or_default()];
                if self.real.system_entries(tree, folder, usize::MAX >> 8).err() != Some(Errno::ENOENT) {
                    // There, but it cannot be switched.
                    return Err(Errno::ENOENT);
                }
                self.suppose(&[tree, b"/", folder].concat(), "one that is in use");
                Ok(text.to_vec())
            }
            other => other,
        }
    }

    fn system_entries(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, Errno> {
        self.real.system_entries(tree, path, limit)
    }

    fn resolve_link(&self, tree: &[u8], path: &[u8]) -> Result<Vec<u8>, Errno> {
        self.real.resolve_link(tree, path)
    }

    fn addresses(&self, limit: usize) -> Result<Vec<InterfaceAddress>, Errno> {
        self.real.addresses(limit)
    }

    fn uname(&self) -> Result<Kernel, Errno> {
        self.real.uname()
    }

    fn loads(&self) -> Result<[u64; 3], Errno> {
        self.real.loads()
    }

    fn environment(&self, name: &str) -> Option<Vec<u8>> {
        self.real.environment(name)
    }

    fn nvme_health(&self, _name: &[u8], _patience: Duration) -> Result<Vec<u8>, Errno> {
        // A command to the disk is no mere look.
        Err(Errno::ENODEV)
    }

    fn now(&self) -> i64 {
        self.real.now()
    }

    fn set_time(&self, _time: i64) -> Result<(), Errno> {
        Ok(())
    }

    fn hardware_time(&self) -> Result<i64, Errno> {
        self.real.hardware_time()
    }

    fn next_hardware_second(&self, _patience: Duration) -> Result<i64, Errno> {
        self.real.hardware_time()
    }

    fn set_hardware_time(&self, _ahead: i64) -> Result<(), Errno> {
        Ok(())
    }

    fn set_processor(&self, _id: i64, _online: bool) -> Result<(), Errno> {
        Ok(())
    }

    fn set_memory_block(&self, _index: u64, _online: bool) -> Result<(), Errno> {
        Ok(())
    }

    fn kernel_sleep(&self, _word: &str, _limit: Duration) -> Result<(), Errno> {
        Ok(())
    }

    fn read_keys(&self, _user: &str, _limit: usize) -> Result<Vec<u8>, KeysError> {
        // Whoever asks what would happen need not be told who can log in; and homes may hang.
        Ok(Vec::new())
    }

    fn write_keys(&self, _user: &str, _text: &[u8]) -> Result<(), KeysError> {
        Ok(())
    }
}
