//! What each built-in module is granted, until the owner's policy says it.

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

/// Module, capability, and why it needs it.
const BUILT_IN: &[(&str, Capability, &str)] = &[
    ("core", Capability::Agent, "guest-info lists the commands, guest-sync-delimited asks for the sentinel"),
    ("file", Capability::Files, "guest-file-* open, read and write files"),
    ("filesystem", Capability::Mounts, "freezing, thawing and trimming begin with the mount table"),
    ("filesystem", Capability::Freezer, "guest-fsfreeze-* freeze and thaw"),
    ("filesystem", Capability::Trimmer, "guest-fstrim discards unused blocks"),
    ("power", Capability::Power, "guest-shutdown powers down, halts and reboots, guest-suspend-* put to sleep"),
    ("exec", Capability::Processes, "guest-exec starts programs"),
    ("report", Capability::SystemFiles, "most guest-get-* read what the kernel says in /proc and /sys"),
    ("report", Capability::Mounts, "guest-get-fsinfo lists file systems and how full they are"),
    ("report", Capability::Network, "guest-network-get-interfaces lists interfaces and their addresses"),
    ("report", Capability::Identity, "guest-get-osinfo, guest-get-host-name and guest-get-timezone tell names"),
    ("report", Capability::Disks, "guest-get-disks tells the health of NVMe disks"),
    ("report", Capability::Clock, "guest-get-timezone tells the offset of this moment"),
    ("time", Capability::Clock, "guest-get-time reads the clock"),
    ("time", Capability::ClockSetting, "guest-set-time sets the clocks"),
    ("hotplug", Capability::SystemFiles, "guest-set-vcpus and guest-set-memory-blocks look before they act"),
    ("hotplug", Capability::Hotplug, "guest-set-vcpus and guest-set-memory-blocks"),
    ("account", Capability::Accounts, "guest-set-user-password sets passwords, guest-ssh-* read and write keys"),
];

/// Whether `module` is granted `capability`.
pub fn is_granted(module: &str, capability: Capability) -> bool {
    BUILT_IN.iter().any(|(name, granted, _)| *name == module && *granted == capability)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_grant_has_a_reason_and_stands_once() {
        for (index, (module, capability, reason)) in BUILT_IN.iter().enumerate() {
            assert!(reason.len() > 10, "{module} {capability}");
            assert!(!BUILT_IN[..index].iter().any(|(other, granted, _)| (other, granted) == (module, capability)));
        }
    }

    #[test]
    fn what_is_not_listed_is_not_granted() {
        assert!(is_granted("file", Capability::Files));
        assert!(!is_granted("core", Capability::Files));
        assert!(!is_granted("stranger", Capability::Power));
    }
}
