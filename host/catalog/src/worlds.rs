//! What the built-in modules import: their worlds, seen from here.
//!
//! A module cannot be instantiated with an import that is not listed for it, whoever replaced it. What it may do with what
//! it imports, the owner's policy says.

use crate::capability::Capability;

/// Module, capability, and why it imports it.
const WORLDS: &[(&str, Capability, &str)] = &[
    ("core", Capability::Agent, "guest-info lists the commands, guest-sync-delimited asks for the sentinel"),
    ("file", Capability::Files, "guest-file-* open, read and write files"),
    ("filesystem", Capability::Mounts, "freezing, thawing and trimming begin with the mount table"),
    ("filesystem", Capability::Freezer, "guest-fsfreeze-* freeze and thaw"),
    ("filesystem", Capability::Trimmer, "guest-fstrim discards unused blocks"),
    ("power", Capability::Power, "guest-shutdown powers down, halts and reboots, guest-suspend-* put to sleep"),
    (
        "power",
        Capability::SystemFiles,
        "guest-shutdown and guest-suspend-* tell which program, or which mask, stands in the way",
    ),
    ("exec", Capability::Processes, "guest-exec starts programs"),
    ("report", Capability::SystemFiles, "most guest-get-* read what the kernel says in /proc and /sys"),
    ("report", Capability::Mounts, "guest-get-fsinfo lists file systems and how full they are"),
    ("report", Capability::Network, "guest-network-get-interfaces lists interfaces and their addresses"),
    (
        "report",
        Capability::Identity,
        "guest-get-osinfo, guest-get-host-name and guest-get-timezone tell names, guest-get-load loads",
    ),
    ("report", Capability::Disks, "guest-get-disks tells the health of NVMe disks"),
    ("report", Capability::Clock, "guest-get-timezone tells the offset of this moment"),
    ("time", Capability::SystemFiles, "guest-set-time reads whether the hardware clock shows UTC or local time"),
    ("time", Capability::Clock, "guest-get-time reads the clock"),
    ("time", Capability::ClockSetting, "guest-set-time sets the clocks"),
    ("hotplug", Capability::SystemFiles, "guest-set-vcpus and guest-set-memory-blocks look before they act"),
    ("hotplug", Capability::Hotplug, "guest-set-vcpus and guest-set-memory-blocks"),
    ("account", Capability::Accounts, "guest-set-user-password sets passwords, guest-ssh-* read and write keys"),
];

/// Whether `module` may import `capability`.
pub fn may_import(module: &str, capability: Capability) -> bool {
    WORLDS.iter().any(|(name, imported, _)| *name == module && *imported == capability)
}

/// Whether the built-in `module` may import this capability and no other.
pub fn reaches_only(module: &str, capability: Capability) -> bool {
    let mut imported = WORLDS.iter().filter(|(name, ..)| *name == module).peekable();
    imported.peek().is_some() && imported.all(|(_, it, _)| *it == capability)
}

/// The modules that may import the capability of this name.
pub fn importers(capability: &str) -> Vec<&'static str> {
    let imports = WORLDS.iter().filter(|(_, imported, _)| imported.name() == capability);
    imports.map(|(module, ..)| *module).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_import_has_a_reason_and_stands_once() {
        for (index, (module, capability, reason)) in WORLDS.iter().enumerate() {
            assert!(reason.len() > 10, "{module} {capability}");
            assert!(!WORLDS[..index].iter().any(|(other, imported, _)| (other, imported) == (module, capability)));
        }
    }

    #[test]
    fn what_is_not_listed_cannot_be_imported() {
        assert!(may_import("file", Capability::Files));
        assert!(!may_import("core", Capability::Files));
        assert!(!may_import("stranger", Capability::Power));
    }

    #[test]
    fn only_one_module_can_make_nobody_wait() {
        let names = crate::modules::names();
        let quick: Vec<_> = names.iter().filter(|name| reaches_only(name, Capability::Agent)).collect();
        assert_eq!(quick, [&"core"]);
        assert!(!reaches_only("stranger", Capability::Agent));
    }

    #[test]
    fn every_capability_has_an_importer() {
        assert_eq!(importers("clock"), ["report", "time"]);
        assert!(bulkhead_policy::shape::SHAPES.iter().all(|shape| !importers(shape.capability).is_empty()));
    }
}
