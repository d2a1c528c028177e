//! What a policy file can say of each capability, as data.
//!
//! A key may stand here only if the gate heeds it. There are two sorts of keys. Conditions say which uses a rule speaks of.
//! Settings ([`Kind::is_setting`]) say how a permitted use is carried out; only permits have them.

/// One capability and the keys of its grants.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape {
    /// The interface's name.
    pub capability: &'static str,
    /// What it can do, for documentation.
    pub doc: &'static str,
    /// What a grant of it says.
    pub keys: &'static [Key],
}

/// A key of a grant.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// Whether a permit must have it. A forbid never must: without it, it forbids all.
    pub required: bool,
    /// What it means.
    pub doc: &'static str,
}

/// What the value of a key is, and what it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A list of some of these words. A permit covers what is asked for if it has every word of it; a forbid matches if
    /// it has one.
    Words(&'static [&'static str]),
    /// A list of names; `*` is every name. What is asked for is one of them. Where a permit may do without, an empty list is
    /// no name at all.
    Names,
    /// A list of names of files, without the folders that they are in; `*` in a name is any text.
    FileNames,
    /// A list of absolute paths, each of one thing; `*` is every path. Compared with the path of the thing itself.
    Paths,
    /// A list of absolute paths of folders, each with all below it, or of single files. Which of them something lies in is not for the text
    /// of paths to say: the gate finds out.
    Trees,
    /// A list of path patterns, component by component: `*` in a component is any text without a slash, a component
    /// `...` one or more; `*` alone is every path.
    Patterns,
    /// A list of numbers; an empty one is none, and `*` in place of the list every number.
    Numbers,
    /// A duration such as "30s", "5m" or "any": what is asked for must not be longer.
    AtMost,
    /// Yes or no. A permit with `true` covers what asks for it.
    Flag,
    /// A list of argument lists. In each, a word stands for itself, `*` for one argument, and `**` at the end for any
    /// number of them.
    Templates,
    /// A setting: a size in bytes such as "512KiB", "10MiB" or "1GiB".
    Size,
    /// A setting: a duration such as "30s".
    Time,
    /// A setting: so many bytes in so much time, such as `{ bytes = "10MiB", seconds = 60 }`.
    Rate,
    /// A setting: a user's name.
    User,
}

impl Kind {
    /// Whether it says how a permitted use is carried out, and not which uses are meant.
    pub fn is_setting(self) -> bool {
        matches!(self, Kind::Size | Kind::Time | Kind::Rate | Kind::User)
    }
}

/// All capabilities, in the order of the world `offered`.
pub const SHAPES: &[Shape] = &[
    Shape { capability: "agent", doc: "The list of commands, and the sentinel.", keys: &[] },
    Shape {
        capability: "files",
        doc: "Open files by path, read and write them.",
        keys: &[
            Key {
                name: "trees",
                kind: Kind::Trees,
                required: true,
                doc: "Folders, each with all below it, or single files, as the objects they are: no '..' leads out.",
            },
            Key {
                name: "access",
                kind: Kind::Words(&["read", "write", "append", "create", "truncate"]),
                required: true,
                doc: "What may be done: read, write over, write at the end, make new files, empty files.",
            },
            Key {
                name: "names",
                kind: Kind::FileNames,
                required: false,
                doc: "Which files and folders in the trees are meant, by their own names, whatever led to them; in a name '*' is any \
                      text. Without: all.",
            },
            Key {
                name: "links",
                kind: Kind::Flag,
                required: false,
                doc: "Whether symbolic links below the tree are followed, and files opened that have several names (hard \
                      links). Without: refused.",
            },
            Key {
                name: "special",
                kind: Kind::Flag,
                required: false,
                doc: "Whether devices, FIFOs and sockets may be opened too. Without: regular files and folders only.",
            },
            Key {
                name: "size",
                kind: Kind::Size,
                required: false,
                doc: "How large a file may be to be opened, and may become by writing. Without: any size.",
            },
            Key {
                name: "rate",
                kind: Kind::Rate,
                required: false,
                doc: "How many bytes may be read and written under this rule in a time. Without: any number.",
            },
        ],
    },
    Shape { capability: "mounts", doc: "Read the mount table, and how full file systems are.", keys: &[] },
    Shape {
        capability: "freezer",
        doc: "Freeze file systems and run the owner's hook script. Thawing is never refused.",
        keys: &[Key {
            name: "mount-points",
            kind: Kind::Paths,
            required: true,
            doc: "Where the file systems are mounted that may be frozen; in a forbid, wherever else they are mounted too.",
        }],
    },
    Shape {
        capability: "trimmer",
        doc: "Tell disks which blocks are unused.",
        keys: &[Key {
            name: "mount-points",
            kind: Kind::Paths,
            required: true,
            doc: "Where the file systems are mounted that may be trimmed; in a forbid, wherever else they are mounted too.",
        }],
    },
    Shape {
        capability: "power",
        doc: "Switch the machine off, over or to sleep.",
        keys: &[
            Key {
                name: "modes",
                kind: Kind::Words(&["powerdown", "halt", "reboot", "suspend-disk", "suspend-ram", "suspend-hybrid"]),
                required: true,
                doc: "What may become of the machine.",
            },
            Key {
                name: "ignore-inhibitors",
                kind: Kind::Flag,
                required: false,
                doc: "Whether it is done although a program has taken a lock against it (systemd-inhibit). Without: as \
                      systemd says, which since version 257 refuses.",
            },
        ],
    },
    Shape {
        capability: "processes",
        doc: "Start programs.",
        keys: &[
            Key {
                name: "programs",
                kind: Kind::Paths,
                required: true,
                doc: "The programs, by the path of the file that is executed in the end; in a forbid, by any path that leads there.",
            },
            Key {
                name: "arguments",
                kind: Kind::Templates,
                required: false,
                doc: "The arguments they may have. Without: any.",
            },
            Key {
                name: "environment",
                kind: Kind::Names,
                required: false,
                doc: "The variables that a client may set for them; [] for none. Without: any.",
            },
            Key {
                name: "run-as",
                kind: Kind::User,
                required: false,
                doc: "The user as whom they run, with that user's groups, and with that user's HOME, USER, LOGNAME, SHELL and a PATH where the client sets no variables. Without: the agent's own, root.",
            },
            Key {
                name: "time-limit",
                kind: Kind::Time,
                required: false,
                doc: "How long they may run; then they are killed with their process group. Without: as long as they do.",
            },
            Key {
                name: "output-limit",
                kind: Kind::Size,
                required: false,
                doc: "How much of each of their outputs is kept; the rest is lost, and the client is told. Without: 16 MiB.",
            },
        ],
    },
    Shape {
        capability: "system-files",
        doc: "Read what the system says of itself in files.",
        keys: &[Key {
            name: "files",
            kind: Kind::Patterns,
            required: true,
            doc: "Which, of those that the agent's own list has for the module.",
        }],
    },
    Shape { capability: "network", doc: "List the addresses of network interfaces.", keys: &[] },
    Shape { capability: "identity", doc: "Ask what the system calls itself.", keys: &[] },
    Shape { capability: "disks", doc: "Ask disks for their health.", keys: &[] },
    Shape { capability: "clock", doc: "Read the clock.", keys: &[] },
    Shape {
        capability: "clock-setting",
        doc: "Set the clocks.",
        keys: &[
            Key {
                name: "step",
                kind: Kind::AtMost,
                required: true,
                doc: "By how much the system's clock may be set forward or back in one call.",
            },
            Key {
                name: "hardware",
                kind: Kind::Flag,
                required: false,
                doc: "Whether the system's time may be set from the hardware clock, by whatever that is.",
            },
        ],
    },
    Shape {
        capability: "hotplug",
        doc: "Take processors and memory in and out of use.",
        keys: &[
            Key {
                name: "processors",
                kind: Kind::Numbers,
                required: true,
                doc: "The numbers of the processors that may be taken out of use and back.",
            },
            Key {
                name: "memory",
                kind: Kind::Flag,
                required: false,
                doc: "Whether blocks of memory may be taken out of use and back.",
            },
        ],
    },
    Shape {
        capability: "accounts",
        doc: "Set passwords, read and replace the keys of ssh.",
        keys: &[
            Key {
                name: "users",
                kind: Kind::Names,
                required: true,
                doc: "Whose. A forbid means whoever has the number of that user, by whatever name.",
            },
            Key {
                name: "may",
                kind: Kind::Words(&["password", "read-keys", "write-keys"]),
                required: true,
                doc: "What.",
            },
        ],
    },
];

/// The shape of a capability.
pub fn find(capability: &str) -> Option<&'static Shape> {
    SHAPES.iter().find(|shape| shape.capability == capability)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_once_and_is_documented() {
        for (index, shape) in SHAPES.iter().enumerate() {
            assert!(!SHAPES[..index].iter().any(|other| other.capability == shape.capability));
            assert!(shape.doc.ends_with('.'), "{}", shape.capability);
            for (index, key) in shape.keys.iter().enumerate() {
                assert!(!shape.keys[..index].iter().any(|other| other.name == key.name));
                assert!(key.doc.ends_with('.'), "{} {}", shape.capability, key.name);
                assert!(!["capability", "modules", "reason"].contains(&key.name), "taken by all grants");
            }
        }
    }
}
