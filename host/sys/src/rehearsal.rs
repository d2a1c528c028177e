//! A system that looks and does not touch, so that an owner can ask what a request would do: where a look is harmless it
//! is the real system's, and every deed is only pretended to be done.
//!
//! What a judgement needs and is not there is taken to be there, so that a policy can be tried on another machine than
//! the VM it is for. What was taken so is noted.

// What is made of a capability where that is long; where it is short, it stands below the capability's trait.
mod files;
mod mounts;

mod system_files;

mod programs;

// What they share.
mod missing;

#[cfg(test)]
mod tests;

use crate::{OpenFlags, System};
use nix::errno::Errno;
use std::cell::RefCell;
use std::fs::File;
use std::rc::Rc;

/// A rehearsal in front of `S`, the real system.
#[derive(Debug)]
pub struct Rehearsal<S> {
    pub(crate) real: S,
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
