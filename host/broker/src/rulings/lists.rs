//! The owner's lists of commands, on the command line and in the configuration file.

use bulkhead_catalog::commands::{Command, names};

/// Commands that the lists of distributions name though no agent for Linux has them: to block or to allow them changes nothing.
/// `guest-get-devices` is one of Windows; Red Hat's `/etc/sysconfig/qemu-ga` allows it.
const ELSEWHERE: [&str; 1] = ["guest-get-devices"];

/// What is wrong with a name in a list of the command line or the configuration file, as a sentence, if something is. Of the
/// name of a vendor's command only the form is looked at: its module may be installed later.
pub fn name_fault(name: &str) -> Option<String> {
    if ELSEWHERE.contains(&name) {
        return None;
    }
    if name.contains('*') {
        return Some(format!("'{name}' is not the name of a command: a policy has patterns, a list has none"));
    }
    bulkhead_policy::command_fault(name, &names())
}

/// The owner's lists of the command line and the configuration file. They can only take commands away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// Never run.
    pub block: Vec<String>,
    /// If not empty, nothing else runs.
    pub allow: Vec<String>,
}

impl Lists {
    /// Whether `command` may run now. In the frozen state only what is safe then runs, and it runs whatever the lists
    /// say: a client must always be able to thaw.
    pub fn permit(&self, command: &Command, frozen: bool) -> bool {
        let names = |list: &[String]| list.iter().any(|name| name == command.name);
        if frozen {
            return command.allowed_while_frozen;
        }
        !names(&self.block) && (self.allow.is_empty() || names(&self.allow))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_catalog::commands::find;

    fn permitted(block: &[&str], allow: &[&str], command: &str, frozen: bool) -> bool {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Lists { block: owned(block), allow: owned(allow) }.permit(find(command).unwrap(), frozen)
    }

    #[test]
    fn blocking_beats_allowing() {
        assert!(permitted(&[], &[], "guest-ping", false));
        assert!(!permitted(&["guest-ping"], &["guest-ping"], "guest-ping", false));
        assert!(!permitted(&[], &["guest-ping"], "guest-info", false));
    }

    #[test]
    fn frozen_beats_both_lists() {
        assert!(permitted(&["guest-fsfreeze-thaw"], &["guest-ping"], "guest-fsfreeze-thaw", true));
        assert!(!permitted(&[], &["guest-file-open"], "guest-file-open", true));
    }

    #[test]
    fn a_name_that_no_command_has_is_told_with_the_nearest() {
        for name in ["guest-ping", "guest-get-devices", "__com.example_backup-status"] {
            assert_eq!(name_fault(name), None, "{name}");
        }
        for (name, said) in [
            ("guest-exex", "there is no command 'guest-exex', did you mean 'guest-exec'?"),
            ("guest_exec", "there is no command 'guest_exec', did you mean 'guest-exec'?"),
            ("\"guest-exec\"", "there is no command '\"guest-exec\"', did you mean 'guest-exec'?"),
            ("guest-ping;guest-exec", "there is no command 'guest-ping;guest-exec'"),
            ("guest-file-*", "'guest-file-*' is not the name of a command: a policy has patterns, a list has none"),
        ] {
            assert_eq!(name_fault(name).as_deref(), Some(said));
        }
    }
}
