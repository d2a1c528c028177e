//! The commands that the agent knows, and which of them may run.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

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
    /// What is known of a command that is not built in.
    pub installed: Option<&'static Installed>,
}

/// What is known of a command of an installed module, and of those built in stands in tables.
#[derive(Debug, PartialEq, Eq)]
pub struct Installed {
    /// The capabilities that its module imports, without which it is of no use.
    pub imports: Vec<&'static str>,
    /// Its arguments, and whether the audit may show them.
    pub arguments: Vec<(String, bool)>,
}

include!(concat!(env!("OUT_DIR"), "/commands.rs"));

/// The commands of an agent: the built-in ones, and those of installed modules.
#[derive(Clone, Debug)]
pub struct Catalog {
    commands: Rc<[Command]>,
}

impl Catalog {
    /// Those that are built in.
    pub fn built_in() -> Self {
        Catalog { commands: COMMANDS.into() }
    }

    /// These too, in their order. Two commands of one name cannot be: the first counts.
    pub fn with(installed: impl IntoIterator<Item = Command>) -> Self {
        let mut commands = COMMANDS.to_vec();
        for command in installed {
            if !commands.iter().any(|other| other.name == command.name) {
                commands.push(command);
            }
        }
        Catalog { commands: commands.into() }
    }

    /// Whether the other one is this one, or a copy of it.
    pub fn is_same(&self, other: &Catalog) -> bool {
        Rc::ptr_eq(&self.commands, &other.commands)
    }

    /// All of them.
    pub fn all(&self) -> &[Command] {
        &self.commands
    }

    /// The command called `name`.
    pub fn find(&self, name: &str) -> Option<Command> {
        self.commands.iter().find(|command| command.name == name).copied()
    }

    /// Their names.
    pub fn names(&self) -> Vec<&'static str> {
        self.commands.iter().map(|command| command.name).collect()
    }
}

thread_local! {
    static NAMES: RefCell<HashSet<&'static str>> = RefCell::default();
    static KNOWN: RefCell<Vec<&'static Installed>> = RefCell::default();
}

/// A name that is not built in, as one that is. It is kept as long as the process lives, once: an agent meets as many as modules
/// are installed while it runs, and the store bounds how long they are.
pub fn interned(name: &str) -> &'static str {
    NAMES.with_borrow_mut(|names| match names.get(name) {
        Some(known) => known,
        None => {
            let kept: &'static str = Box::leak(name.into());
            names.insert(kept);
            kept
        }
    })
}

/// The same for what is known of a command that is not built in: equal ones are kept once.
pub fn installed(imports: Vec<&'static str>, arguments: Vec<(String, bool)>) -> &'static Installed {
    let known = Installed { imports, arguments };
    KNOWN.with_borrow_mut(|all| match all.iter().find(|it| ***it == known) {
        Some(it) => *it,
        None => {
            let kept: &'static Installed = Box::leak(Box::new(known));
            all.push(kept);
            kept
        }
    })
}

/// The names of the built-in commands.
pub fn names() -> Vec<&'static str> {
    COMMANDS.iter().map(|command| command.name).collect()
}

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

/// The built-in command called `name`.
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
    fn an_installed_command_is_found_and_takes_no_name_of_another() {
        let command = |name| Command { name: interned(name), module: "com.example", ..COMMANDS[0] };
        let catalog = Catalog::with([command("__com.example_x"), command("guest-ping")]);
        assert_eq!(catalog.find("__com.example_x").map(|it| it.module), Some("com.example"));
        assert_eq!(catalog.find("guest-ping").map(|it| it.module), Some("core"));
        assert_eq!(catalog.names().len(), COMMANDS.len() + 1);
        assert!(std::ptr::eq(interned("a"), interned(&String::from("a"))));
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
