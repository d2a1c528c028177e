//! The commands that the agent knows, and which of them may run.

/// One command, as its schema has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its name, such as `guest-ping`.
    pub name: &'static str,
    /// The guest module that answers it.
    pub module: &'static str,
    /// Whether success is answered at all.
    pub success_response: bool,
    /// Whether it runs in the frozen state. Then it must not write to a disk, for it would never come back.
    pub allowed_while_frozen: bool,
}

include!(concat!(env!("OUT_DIR"), "/commands.rs"));

/// The names of all of them.
pub fn names() -> Vec<&'static str> {
    COMMANDS.iter().map(|command| command.name).collect()
}

/// The command called `name`.
pub fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
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
    fn exactly_the_commands_that_qemu_ga_allows_run_while_frozen() {
        let allowed: Vec<_> =
            COMMANDS.iter().filter(|command| command.allowed_while_frozen).map(|it| it.name).collect();
        assert_eq!(
            allowed,
            [
                "guest-sync-delimited",
                "guest-sync",
                "guest-ping",
                "guest-info",
                "guest-fsfreeze-status",
                "guest-fsfreeze-thaw"
            ]
        );
    }
}
