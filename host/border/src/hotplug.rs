//! `hotplug`: processors and memory, in and out of use.

use crate::{Errno, Refusal};

interface! {
    /// Processors and memory, in and out of use.
    Hotplug {
        /// Takes a processor in or out of use.
        fn set_processor(id: i64, online: bool) -> Result<(), Refusal<Errno>>;

        /// Takes a block of memory in or out of use.
        fn set_memory_block(index: u64, online: bool) -> Result<(), Refusal<Errno>>;
    }
}
