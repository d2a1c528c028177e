//! What a command needs to be of any use.

use crate::commands::Command;
use bulkhead_policy::Policy;

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

/// Whether some grant of `policy` makes `command` usable.
pub fn is_usable(command: &Command, policy: &Policy) -> bool {
    of(command).all(|(capability, word)| policy.grants_any(command.module, capability, word))
}

/// What `command` cannot do without: capabilities, and a word that it needs there. Of one that is not built in nobody here
/// knows; its module has asked for what it imports, so all of it is needed.
pub fn of(command: &Command) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    let (name, installed) = (command.name, command.installed);
    let built_in = NEEDS.iter().filter(move |(it, ..)| installed.is_none() && *it == name);
    let imported = installed.into_iter().flat_map(|it| &it.imports).map(|capability| (*capability, None));
    built_in.map(|(_, capability, word)| (*capability, *word)).chain(imported)
}

/// What `command` cannot do without and nothing grants, in words.
pub fn missing(command: &Command, policy: &Policy) -> Vec<String> {
    let ungranted = of(command).filter(|(capability, word)| !policy.grants_any(command.module, capability, *word));
    let told = |(capability, word): (&str, Option<&str>)| match word {
        Some(word) => format!("{capability} with '{word}'"),
        None => capability.to_owned(),
    };
    ungranted.map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::{self, COMMANDS};
    use crate::modules;
    use crate::policy_files::profile;
    use bulkhead_policy::{Document, Mode, PROFILES, shape};

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

    /// The commands that run under a policy, and those of them that can do something.
    fn running_and_usable(policy: &Policy) -> (Vec<&'static str>, Vec<&'static str>) {
        let runs = COMMANDS.iter().filter(|it| policy.command(it.name, false, |_| 0).mode != Mode::Deny);
        let usable = runs.clone().filter(|it| is_usable(it, policy));
        (runs.map(|it| it.name).collect(), usable.map(|it| it.name).collect())
    }

    #[test]
    fn what_a_profile_lets_run_it_also_lets_do_something() {
        for it in PROFILES {
            let (running, usable) = running_and_usable(&profile(it.name));
            assert_eq!(running, usable, "{}", it.name);
            assert!(!running.is_empty(), "{}", it.name);
        }
    }

    #[test]
    fn what_is_forbidden_altogether_makes_its_commands_useless() {
        let lost = |rule: &str| {
            let text = format!("version = 1\nprofile = \"full\"\n[[forbid]]\nreason = \"x\"\n{rule}\n");
            let (commands, modules) = (commands::names(), modules::names());
            let document = Document::parse("p", &text, &commands, &modules).unwrap();
            let (running, usable) = running_and_usable(&Policy::merge([document], &commands, &modules).unwrap());
            running.into_iter().filter(|name| !usable.contains(name)).collect::<Vec<_>>()
        };
        assert_eq!(lost("capability = \"processes\""), ["guest-exec-status", "guest-exec"]);
        assert_eq!(lost("capability = \"processes\"\nprograms = [\"/bin/sh\"]"), [""; 0], "others are left");
        assert_eq!(lost("capability = \"power\"\nmodes = [\"suspend-ram\"]"), ["guest-suspend-ram"]);
        assert_eq!(lost("capability = \"accounts\"\nusers = [\"root\"]"), [""; 0], "other users are left");
        assert_eq!(lost("capability = \"accounts\"\nmay = [\"password\"]"), ["guest-set-user-password"]);
    }
}
