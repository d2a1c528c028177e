//! Whether a command is of any use under a policy: whether something grants its module what it cannot do without.

use bulkhead_catalog::commands::Command;
use bulkhead_catalog::needs;
use bulkhead_policy::Policy;

/// Whether some grant of `policy` makes `command` usable.
pub fn is_usable(command: &Command, policy: &Policy) -> bool {
    needs::of(command).all(|(capability, word)| policy.grants_any(command.module, capability, word))
}

/// What `command` cannot do without and nothing grants, in words.
pub fn missing(command: &Command, policy: &Policy) -> Vec<String> {
    let ungranted =
        needs::of(command).filter(|(capability, word)| !policy.grants_any(command.module, capability, *word));
    let told = |(capability, word): (&str, Option<&str>)| match word {
        Some(word) => format!("{capability} with '{word}'"),
        None => capability.to_owned(),
    };
    ungranted.map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy_files::profile;
    use bulkhead_catalog::commands::{self, COMMANDS};
    use bulkhead_catalog::modules;
    use bulkhead_policy::{Document, Mode, PROFILES};

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
