//! What a command needs to be of any use.

use crate::commands::Command;

/// Command, capability, and a word that it needs there. A command stands here once for everything without which it cannot do
/// what it is for; what makes its answer merely shorter is left out.
const NEEDS: &[(&str, &str, Option<&str>)] = &[
    ("guest-info", "agent", None),
    ("guest-sync-delimited", "agent", None),
    ("guest-shutdown", "power", None),
    ("guest-suspend-disk", "power", Some("suspend-disk")),
    ("guest-suspend-ram", "power", Some("suspend-ram")),
    ("guest-suspend-hybrid", "power", Some("suspend-hybrid")),
    ("guest-file-open", "files", None),
    ("guest-file-close", "files", None),
    ("guest-file-read", "files", Some("read")),
    ("guest-file-write", "files", None),
    ("guest-file-seek", "files", None),
    ("guest-file-flush", "files", None),
    ("guest-fsfreeze-freeze", "freezer", None),
    ("guest-fsfreeze-freeze", "mounts", None),
    ("guest-fsfreeze-freeze-list", "freezer", None),
    ("guest-fsfreeze-freeze-list", "mounts", None),
    ("guest-fstrim", "trimmer", None),
    ("guest-fstrim", "mounts", None),
    ("guest-exec", "processes", None),
    ("guest-exec-status", "processes", None),
    ("guest-get-time", "clock", None),
    ("guest-set-time", "clock-setting", None),
    ("guest-get-osinfo", "identity", None),
    ("guest-get-host-name", "identity", None),
    ("guest-get-timezone", "clock", None),
    ("guest-get-timezone", "identity", None),
    ("guest-get-users", "system-files", None),
    ("guest-get-load", "identity", None),
    ("guest-get-cpustats", "system-files", None),
    ("guest-get-diskstats", "system-files", None),
    ("guest-get-vcpus", "system-files", None),
    ("guest-get-memory-blocks", "system-files", None),
    ("guest-get-memory-block-info", "system-files", None),
    ("guest-get-disks", "system-files", None),
    ("guest-get-fsinfo", "mounts", None),
    ("guest-network-get-interfaces", "network", None),
    ("guest-network-get-route", "system-files", None),
    ("guest-set-vcpus", "hotplug", None),
    ("guest-set-vcpus", "system-files", None),
    ("guest-set-memory-blocks", "hotplug", None),
    ("guest-set-memory-blocks", "system-files", None),
    ("guest-set-user-password", "accounts", Some("password")),
    ("guest-ssh-get-authorized-keys", "accounts", Some("read-keys")),
    ("guest-ssh-add-authorized-keys", "accounts", Some("write-keys")),
    ("guest-ssh-remove-authorized-keys", "accounts", Some("write-keys")),
];

/// The commands that need nothing: they answer, or undo, whatever is granted.
#[cfg(test)]
const NEED_NOTHING: &[&str] = &["guest-sync", "guest-ping", "guest-fsfreeze-status", "guest-fsfreeze-thaw"];

/// What `command` cannot do without: capabilities, and a word that it needs there. Of one that is not built in nobody here
/// knows; its module has asked for what it imports, so all of it is needed.
pub fn of(command: &Command) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    let (name, installed) = (command.name, command.installed);
    let built_in = NEEDS.iter().filter(move |(it, ..)| installed.is_none() && *it == name);
    let imported = installed.into_iter().flat_map(|it| &it.imports).map(|capability| (*capability, None));
    built_in.map(|(_, capability, word)| (*capability, *word)).chain(imported)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::COMMANDS;
    use bulkhead_policy::shape;

    #[test]
    fn every_command_says_what_it_needs() {
        for command in COMMANDS {
            let needs = NEEDS.iter().filter(|(name, ..)| *name == command.name).count();
            assert_eq!(needs == 0, NEED_NOTHING.contains(&command.name), "{}", command.name);
        }
        for (command, capability, _) in NEEDS {
            assert!(COMMANDS.iter().any(|it| it.name == *command), "{command}");
            assert!(shape::find(capability).is_some(), "{capability}");
        }
    }
}
