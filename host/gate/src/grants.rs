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
    /// `power`: switch the machine off or over.
    Power,
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
    ("power", Capability::Power, "guest-shutdown powers down, halts and reboots"),
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
