//! Whether several names are those of one thing.

use crate::{LocatedProgram, Rehearsal, System};

/// Comparing the names that an owner's rules have with the thing that is about to be used.
pub trait Names {
    /// Which of `names`, by their positions, are names of `thing` too, links and all. Of a program or a user those of which it
    /// cannot be found out, or not in time, are among them; those of which there is nothing by that name are not.
    fn same(&self, thing: Thing<'_>, names: &[&str]) -> Vec<usize>;
}

impl<S: System> Names for Rehearsal<S> {
    fn same(&self, thing: Thing<'_>, names: &[&str]) -> Vec<usize> {
        self.real.same(thing, names)
    }
}

/// Something that may have several names.
#[derive(Clone, Copy, Debug)]
pub enum Thing<'a> {
    /// A program: the same file, by whatever path.
    Program(&'a LocatedProgram),
    /// The user of this name: the same number.
    User(&'a str),
    /// What is mounted here: the same file system, mounted there too.
    MountPoint(&'a [u8]),
}
