//! What the agent can make the system do on behalf of a module.

use crate::{
    Accounts, Clock, ClockSetting, Disks, Fake, Files, Freezer, Hotplug, Identity, Linux, Mounts, Names, Network,
    Power, Processes, Programs, Rehearsal, SystemFiles, Trimmer,
};

/// The system as the gate sees it: every capability, each a trait in the file of its name. Paths are bytes: the kernel's are
/// not always UTF-8.
///
/// What a path leads to may be a server that is gone, or a user's own program (FUSE). No call waits for these for ever: what
/// takes longer than some seconds, or than its `patience` says, is `ETIMEDOUT`, and goes on without being waited for.
pub trait System:
    Files
    + Mounts
    + Freezer
    + Trimmer
    + Power
    + Programs
    + Processes
    + SystemFiles
    + Network
    + Identity
    + Disks
    + Clock
    + ClockSetting
    + Hotplug
    + Accounts
    + Names
{
}

impl System for Linux {}

impl System for Fake {}

impl<S: System> System for Rehearsal<S> {}
