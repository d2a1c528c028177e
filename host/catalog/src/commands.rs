//! The commands that there are.

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

/// An argument of a built-in command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    /// The command.
    pub command: &'static str,
    /// The argument's name.
    pub name: &'static str,
    /// Whether no log and no audit may show its value.
    pub secret: bool,
}

include!(concat!(env!("OUT_DIR"), "/arguments.rs"));

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

/// The arguments of `command`, in the order of its schema, and whether each may be shown.
pub fn arguments<'a>(command: &str, installed: Option<&'a Installed>) -> impl Iterator<Item = (&'a str, bool)> {
    let ours = ARGUMENTS.iter().filter(move |it| installed.is_none() && it.command == command);
    let theirs = installed.into_iter().flat_map(|it| &it.arguments).map(|(name, shown)| (name.as_str(), *shown));
    ours.map(|it| (it.name, !it.secret)).chain(theirs)
}

/// The argument of `command` for which `is_it` holds, and whether it may be shown; nothing if its schema has none.
pub fn shown_argument<'a>(
    command: &str,
    installed: Option<&'a Installed>,
    is_it: impl Fn(&str) -> bool,
) -> Option<(&'a str, bool)> {
    arguments(command, installed).find(|(name, _)| is_it(name))
}

/// The names of the built-in commands.
pub fn names() -> Vec<&'static str> {
    COMMANDS.iter().map(|command| command.name).collect()
}

/// The built-in command called `name`.
pub fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

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
