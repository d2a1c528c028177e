//! Processors and memory that are taken in and out of use in name only, or refuse to be. What the kernel says of them in
//! its files is the test's to write.

use super::Fake;
use nix::errno::Errno;
use std::collections::HashMap;

/// What the pretended system knows of it.
#[derive(Debug, Default)]
pub(super) struct Hotplug {
    processors: HashMap<i64, Errno>,
    memory_blocks: HashMap<u64, Errno>,
}

impl Fake {
    /// Has a processor refuse every change.
    pub fn refuse_processor(&self, id: i64, errno: Errno) {
        self.0.borrow_mut().hotplug.processors.insert(id, errno);
    }

    /// Has a block of memory refuse every change.
    pub fn refuse_memory_block(&self, index: u64, errno: Errno) {
        self.0.borrow_mut().hotplug.memory_blocks.insert(index, errno);
    }
}

impl crate::Hotplug for Fake {
    fn set_processor(&self, id: i64, online: bool) -> Result<(), Errno> {
        let state = &mut *self.0.borrow_mut();
        state.note("processor", format!("{id} {}", word(online)).as_bytes());
        state.hotplug.processors.get(&id).map_or(Ok(()), |errno| Err(*errno))
    }

    fn set_memory_block(&self, index: u64, online: bool) -> Result<(), Errno> {
        let state = &mut *self.0.borrow_mut();
        state.note("memory block", format!("{index} {}", word(online)).as_bytes());
        state.hotplug.memory_blocks.get(&index).map_or(Ok(()), |errno| Err(*errno))
    }
}

fn word(online: bool) -> &'static str {
    if online { "online" } else { "offline" }
}
