//! `freezer`: one file system at a time, and the frozen state around them.

use crate::{Errno, MountError, MountId, ProgramFailure, Refusal};

/// When a hook script runs. The word is its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookPhase {
    /// Before the first file system freezes.
    Freeze,
    /// After the last one thawed.
    Thaw,
}

interface! {
    /// One file system at a time, and the frozen state around them; see `wit/freezer.wit`.
    Freezer {
        /// Whether the agent is in the frozen state.
        fn frozen() -> bool;

        /// Runs the owner's hook script, if there is one.
        fn run_hook(phase: HookPhase) -> Result<(), Refusal<ProgramFailure>>;

        /// Enters the frozen state.
        fn begin() -> Result<(), Refusal<Errno>>;

        /// Freezes the file system mounted at `mount_point`, no other than `is`, if that is told; `EPERM` outside the frozen state.
        fn freeze(mount_point: Vec<u8>, is: Option<MountId>) -> Result<(), Refusal<MountError>>;

        /// Thaws it, once.
        fn thaw(mount_point: Vec<u8>) -> Result<(), Refusal<MountError>>;

        /// The mount points of what this agent froze and nobody thawed, in order.
        fn frozen_here() -> Vec<Vec<u8>>;

        /// Leaves the frozen state.
        fn end() -> ();
    }
}
