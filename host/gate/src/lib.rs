//! The gate: was this module granted this? If so, one call of the system.
//!
//! Everything privileged that a module can cause goes through here, one file per capability. Calls are shaped like
//! messages: plain owned values in, plain values or one descriptor out. So the gate, the policy and the system can
//! move into a process of their own, and what they decide then holds even against a broken wasm engine.
//!
//! There is no policy file yet: [`grants`] lists what the built-in modules need, and nothing else is granted.

mod accounts;
mod clock;
mod clock_setting;
mod disks;
mod files;
mod freezer;
pub mod grants;
mod hook;
mod hotplug;
mod identity;
mod mounts;
mod network;
mod power;
mod processes;
mod programs;
mod readable;
mod sleep;
mod system_files;
mod trimmer;

pub use accounts::{CHPASSWD, PasswordError};
pub use bulkhead_sys::{
    Address, Ending, Errno, InterfaceAddress, Kernel, KeysError, MountError, OpenFlags, Output, ProgramError, Spawn,
    Spawned, Trimmed, Usage,
};
pub use clock_setting::{Direction, HWCLOCK};
pub use grants::Capability;
pub use hook::HookPhase;
pub use power::{Mode, Tool};
pub use sleep::{Sleep, SleepTool};

use bulkhead_sys::System;
use std::path::PathBuf;
use thiserror::Error;

/// The gate in front of one system.
pub struct Gate {
    system: Box<dyn System>,
    hook: Option<PathBuf>,
}

/// Why the gate did not open, or what the system answered behind it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GateError<E: std::error::Error + 'static> {
    /// Not granted.
    #[error("module {module} was not granted {capability}")]
    Denied {
        /// Who asked.
        module: String,
        /// For what.
        capability: Capability,
    },
    /// Granted, tried, failed.
    #[error(transparent)]
    Failed(#[from] E),
}

impl Gate {
    /// A gate in front of `system`. `hook` is the owner's freeze hook script, if there is one: a module can have it run
    /// but cannot choose it.
    pub fn new(system: Box<dyn System>, hook: Option<PathBuf>) -> Self {
        Gate { system, hook }
    }

    fn require<E: std::error::Error>(&self, module: &str, capability: Capability) -> Result<(), GateError<E>> {
        if grants::is_granted(module, capability) {
            Ok(())
        } else {
            Err(GateError::Denied { module: module.to_owned(), capability })
        }
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Gate").field("hook", &self.hook).finish_non_exhaustive()
    }
}
