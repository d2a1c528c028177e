//! Processors and memory, in and out of use.

use crate::{Rehearsal, System};
use nix::errno::Errno;

/// Taking processors and memory in and out of use.
pub trait Hotplug {
    /// Takes a processor in or out of use.
    fn set_processor(&self, id: i64, online: bool) -> Result<(), Errno>;

    /// Takes a block of memory in or out of use.
    fn set_memory_block(&self, index: u64, online: bool) -> Result<(), Errno>;
}

impl<S: System> Hotplug for Rehearsal<S> {
    fn set_processor(&self, _id: i64, _online: bool) -> Result<(), Errno> {
        Ok(())
    }

    fn set_memory_block(&self, _index: u64, _online: bool) -> Result<(), Errno> {
        Ok(())
    }
}
