//! What a module may be granted.

use std::fmt;

/// A WIT interface of the host that a module may be granted. The interfaces that only serve the conversation itself
/// (`log`, `arguments`, `reply`) need no grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// `agent`: the list of commands, the sentinel.
    Agent,
    /// `files`: open files by path, read and write them.
    Files,
    /// `mounts`: read the mount table.
    Mounts,
    /// `freezer`: freeze and thaw file systems, run the hook script.
    Freezer,
    /// `trimmer`: discard unused blocks.
    Trimmer,
    /// `power`: switch the machine off, over or to sleep.
    Power,
    /// `processes`: start programs.
    Processes,
    /// `system-files`: read what the system says of itself in files.
    SystemFiles,
    /// `network`: list the addresses of network interfaces.
    Network,
    /// `identity`: ask what the system calls itself.
    Identity,
    /// `disks`: ask disks for their health.
    Disks,
    /// `clock`: read the clock.
    Clock,
    /// `clock-setting`: set the clocks.
    ClockSetting,
    /// `hotplug`: take processors and memory in and out of use.
    Hotplug,
    /// `accounts`: set passwords, read and write the keys of ssh.
    Accounts,
}

impl Capability {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Agent,
        Self::Files,
        Self::Mounts,
        Self::Freezer,
        Self::Trimmer,
        Self::Power,
        Self::Processes,
        Self::SystemFiles,
        Self::Network,
        Self::Identity,
        Self::Disks,
        Self::Clock,
        Self::ClockSetting,
        Self::Hotplug,
        Self::Accounts,
    ];

    /// The one called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|capability| capability.name() == name)
    }

    /// Whether by it something is opened, written, started or switched that may wait for a disk. While file systems are frozen
    /// it is nobody's: what waits then holds up the thaw that it waits for. Reading what the kernel says of itself is not of
    /// this sort, nor is thawing.
    pub fn waits_for_a_thaw(self) -> bool {
        match self {
            Capability::Files
            | Capability::Freezer
            | Capability::Trimmer
            | Capability::Power
            | Capability::Processes
            | Capability::Disks
            | Capability::ClockSetting
            | Capability::Hotplug
            | Capability::Accounts => true,
            Capability::Agent
            | Capability::Mounts
            | Capability::SystemFiles
            | Capability::Network
            | Capability::Identity
            | Capability::Clock => false,
        }
    }

    /// The interface's name.
    pub fn name(self) -> &'static str {
        match self {
            Capability::Agent => "agent",
            Capability::Files => "files",
            Capability::Mounts => "mounts",
            Capability::Freezer => "freezer",
            Capability::Trimmer => "trimmer",
            Capability::Power => "power",
            Capability::Processes => "processes",
            Capability::SystemFiles => "system-files",
            Capability::Network => "network",
            Capability::Identity => "identity",
            Capability::Disks => "disks",
            Capability::Clock => "clock",
            Capability::ClockSetting => "clock-setting",
            Capability::Hotplug => "hotplug",
            Capability::Accounts => "accounts",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
