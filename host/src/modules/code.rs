//! Making compiled modules executable.
//!
//! The code of the built-in modules is run where it is, in the agent's own file, whose pages all who run it share and the system
//! can have back; the engine would otherwise copy it, page by page, before the first answer. By itself the engine makes only what
//! it has copied executable, so this does it for all: also for installed modules, and built-in ones that are loaded again, which
//! are copied (`host/src/modules/builtin.rs`).

use std::sync::Arc;
use wasmtime::{Config, CustomCodeMemory};

/// Bytes at multiples of which code begins: a page, of the largest size that a kernel of the architecture may have. The engine's
/// compiler lays code out so.
#[cfg(target_arch = "x86_64")]
pub(crate) const ALIGNMENT: usize = 4 << 10;
#[cfg(not(target_arch = "x86_64"))]
pub(crate) const ALIGNMENT: usize = 64 << 10;

/// Has the engine leave it to this.
pub(crate) fn configure(config: &mut Config) {
    config.with_custom_code_memory(Some(Arc::new(Code)));
}

struct Code;

impl CustomCodeMemory for Code {
    fn required_alignment(&self) -> usize {
        ALIGNMENT
    }

    fn publish_executable(&self, begin: *const u8, length: usize) -> wasmtime::Result<()> {
        Ok(bulkhead_os::code::make_executable(begin, length)?)
    }

    /// Code that is part of the agent's file stays what it is, for nobody can write to it; what was copied is unmapped next.
    fn unpublish_executable(&self, _: *const u8, _: usize) -> wasmtime::Result<()> {
        Ok(())
    }
}
