//! The profiles of the package: policies to start from.

use crate::document::Document;
use crate::error::PolicyError;

/// What the name of a profile follows where a file's name is expected.
pub(crate) const PROFILE: &str = "profile ";

/// A policy of the package.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// Its text, in the form of every policy file.
    pub text: &'static str,
}

/// All of them, from the narrowest to the widest.
pub const PROFILES: &[Profile] = &[
    Profile { name: "minimal", text: include_str!("../profiles/minimal.toml") },
    Profile { name: "backup", text: include_str!("../profiles/backup.toml") },
    Profile { name: "report", text: include_str!("../profiles/report.toml") },
    Profile { name: "standard", text: include_str!("../profiles/standard.toml") },
    Profile { name: "full", text: include_str!("../profiles/full.toml") },
];

impl Profile {
    /// The profile of this name.
    pub fn named(name: &str) -> Option<&'static Profile> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// What it says, with what the profile says that it starts from itself.
    pub(crate) fn document(&self, commands: &[&str], modules: &[&str]) -> Result<Document, PolicyError> {
        let file = format!("{PROFILE}{}", self.name);
        let mut document = Document::parse(&file, self.text, commands, modules)?;
        if let Some((base, _)) = document.profile.take() {
            let base = base.document(commands, modules)?;
            document.commands.extend(base.commands);
            document.grants.extend(base.grants);
            document.limits.extend(base.limits);
            document.modules.extend(base.modules);
        }
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{commands, modules};
    use crate::{Ask, Mode, Policy};

    fn policy(name: &str) -> Policy {
        Policy::of_profile(Profile::named(name).unwrap(), &commands(), &modules()).unwrap()
    }

    /// The commands that a profile permits.
    fn permitted(name: &str) -> Vec<&'static str> {
        let policy = policy(name);
        commands().into_iter().filter(|command| policy.command(command, false, |_| 0).mode != Mode::Deny).collect()
    }

    #[test]
    fn each_is_readable_on_one_screen() {
        for profile in PROFILES {
            assert!(profile.text.lines().count() <= 50, "{}", profile.name);
            assert!(profile.text.lines().all(|line| line.chars().count() <= 120), "{}", profile.name);
            assert!(profile.text.starts_with(&format!("# {}: ", profile.name)), "it says first what it is for");
        }
    }

    #[test]
    fn each_is_as_wide_as_its_name() {
        assert_eq!(permitted("minimal").len(), 5, "{:?}", permitted("minimal"));
        assert_eq!(permitted("full"), commands());
        let changes = ["guest-exec", "guest-file-write", "guest-set-time", "guest-set-user-password", "guest-fstrim"];
        assert!(!changes.iter().any(|command| permitted("report").contains(command)));
        for (narrow, wide) in
            [("minimal", "backup"), ("minimal", "report"), ("report", "standard"), ("backup", "standard")]
        {
            let wide = permitted(wide);
            assert!(permitted(narrow).iter().all(|command| wide.contains(command)), "{narrow}");
        }
        let dangerous = ["guest-exec", "guest-file-open", "guest-set-user-password", "guest-ssh-add-authorized-keys"];
        assert!(!dangerous.iter().any(|command| permitted("standard").contains(command)));
    }

    /// A command that may run must find its capabilities granted, and a capability that is granted a command.
    #[test]
    fn commands_and_grants_go_together() {
        let may = |profile: &str, module: &str, capability: &str| policy(profile).grants_any(module, capability, None);
        assert!(may("minimal", "power", "power") && !may("minimal", "filesystem", "freezer"));
        assert!(may("backup", "filesystem", "freezer") && may("backup", "report", "mounts"));
        assert!(!may("report", "filesystem", "freezer") && may("report", "report", "network"));
        assert!(may("standard", "time", "clock-setting") && !may("standard", "exec", "processes"));
        for profile in ["minimal", "backup", "report", "standard"] {
            assert!(!may(profile, "file", "files") && !may(profile, "account", "accounts"), "{profile}");
        }
        assert!(may("full", "exec", "processes") && may("full", "file", "files") && may("full", "hotplug", "hotplug"));
    }

    #[test]
    fn a_standard_vm_is_not_put_to_sleep_on_disk_by_chance() {
        let judge =
            |profile, mode: &str| policy(profile).judge("power", "power", &[("modes", Ask::Words(&[mode]))]).allowed;
        assert!(judge("minimal", "reboot") && !judge("minimal", "suspend-ram"));
        assert!(judge("standard", "suspend-ram") && judge("full", "suspend-hybrid"));
    }

    #[test]
    fn its_rules_are_known_from_the_owner_s() {
        assert!(policy("standard").rules().all(|rule| rule.origin().is_of_profile()));
        let own = Document::parse("profile x", "version = 1\n[[limit]]\nhandles = 1\n", &[], &[]).unwrap();
        assert!(!own.limits[0].origin.is_of_profile());
    }
}
