//! `power`: switching the machine off, over or to sleep.

use crate::{Errno, ProgramFailure, Refusal};

/// A program that can switch the machine off or over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `/sbin/poweroff`
    Poweroff,
    /// `/sbin/halt`
    Halt,
    /// `/sbin/reboot`
    Reboot,
    /// `/sbin/shutdown`
    Shutdown,
}

/// What shall become of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Off.
    Powerdown,
    /// Stopped but not off.
    Halt,
    /// Started again.
    Reboot,
}

/// How deep the machine sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// Written to disk and switched off.
    Disk,
    /// Memory is kept alive.
    Ram,
    /// Both.
    Hybrid,
}

/// Programs that put a machine to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SleepTool {
    /// systemctl(1)
    Systemd,
    /// pm-is-supported(1), pm-action(8)
    PmUtils,
}

interface! {
    /// Switching the machine off, over or to sleep; see `wit/power.wit`.
    Power {
        /// Whether the tool is there to be run.
        fn has_tool(tool: Tool) -> bool;

        /// Runs it, or systemctl(1) in its place.
        fn run_tool(tool: Tool, mode: Mode) -> Result<(), Refusal<ProgramFailure>>;

        /// Has the tool tell whether it can put the machine to sleep.
        fn ask_sleep(tool: SleepTool, sleep: Sleep) -> Result<(), Refusal<ProgramFailure>>;

        /// Has the tool do it.
        fn run_sleep(tool: SleepTool, sleep: Sleep) -> Result<(), Refusal<ProgramFailure>>;

        /// Whether systemd runs the machine.
        fn has_systemd() -> bool;

        /// The words that the kernel takes in /sys/power/state, at most 4 KiB.
        fn kernel_sleeps() -> Result<Vec<u8>, Refusal<Errno>>;

        /// Tells the kernel to sleep; comes back when the machine is awake.
        fn kernel_sleep(sleep: Sleep) -> Result<(), Refusal<Errno>>;
    }
}
