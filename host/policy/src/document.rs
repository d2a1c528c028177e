//! One file of a policy.

use crate::command::CommandRule;
use crate::error::{Origin, PolicyError, suggestion};
use crate::grant::{Effect, Grant};
use crate::hotplug::HotplugRule;
use crate::limit::LimitRule;
use crate::module::ModuleRule;
use crate::network::NetworkRule;
use crate::profiles::{PROFILES, Profile};
use crate::table::{Item, Source, Table};
use std::sync::Arc;
use toml::de::DeTable;

/// The version of the form that is described here. It changes only when something that was said before would mean
/// something else; a file of a later version is refused.
pub const VERSION: i64 = 1;

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The profile it starts from.
    pub profile: Option<(&'static Profile, Origin)>,
    /// Its rules about commands.
    pub commands: Vec<CommandRule>,
    /// Its rules about what modules may do.
    pub grants: Vec<Grant>,
    /// Its rules about what compartments may use.
    pub limits: Vec<LimitRule>,
    /// Its rules about the life of modules.
    pub modules: Vec<ModuleRule>,
    /// What it says of network interfaces.
    pub network: Option<NetworkRule>,
    /// What it says of processors and memory that are added.
    pub hotplug: Option<HotplugRule>,
}

impl Document {
    /// Reads the text of the file called `file`. `commands` and `modules` are those that there are; vendors' need not be
    /// among them, for they come and go. The error is the first of the file.
    pub fn parse(file: &str, text: &str, commands: &[&str], modules: &[&str]) -> Result<Self, PolicyError> {
        let (document, errors) = Self::read(file, text, commands, modules);
        errors.into_iter().next().map_or(Ok(document), Err)
    }

    /// The same for who has to put it right: the rules that are sound, and what is wrong with the others, in the order of
    /// the file. Of what is wrong in one rule the first is told.
    pub fn read(file: &str, text: &str, commands: &[&str], modules: &[&str]) -> (Self, Vec<PolicyError>) {
        let file = Arc::from(file);
        let source = Source { file: &file, text };
        let (parsed, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            // What the parser made of the rest is a guess; of a line, what it says first is most often what is wrong.
            let mut errors: Vec<_> = errors.iter().map(|error| syntax(source, error)).collect();
            errors.sort_by(|one, other| one.origin.cmp(&other.origin));
            errors.dedup_by_key(|error| error.origin.line);
            return (Document::default(), errors);
        }
        let mut reading = Reading { document: Document::default(), errors: Vec::new() };
        reading.all(Table::new(source, 0..0, parsed.get_ref()), commands, modules);
        reading.errors.sort_by(|one, other| one.origin.cmp(&other.origin));
        (reading.document, reading.errors)
    }
}

fn syntax(source: Source<'_>, error: &toml::de::Error) -> PolicyError {
    // The parser's message has the line again, on lines of their own.
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    source.error(&error.span().unwrap_or_default(), message)
}

/// A file being read: what was understood so far, and what was not.
struct Reading {
    document: Document,
    errors: Vec<PolicyError>,
}

impl Reading {
    fn all(&mut self, mut table: Table<'_>, commands: &[&str], modules: &[&str]) {
        let version = table.required("version").and_then(|version| match version.number()? {
            VERSION => Ok(()),
            other => Err(version.error(format!("this agent reads version {VERSION} of a policy, not {other}"))),
        });
        self.keep(version);
        let profile = table.take("profile").map(|item| profile(&item)).transpose();
        self.document.profile = self.keep(profile).flatten();
        for rule in self.rules(&mut table, "command") {
            let rule = self.keep(rule.and_then(|rule| CommandRule::read(rule, commands)));
            self.document.commands.extend(rule);
        }
        for (key, effect) in [("permit", Effect::Permit), ("forbid", Effect::Forbid)] {
            for rule in self.rules(&mut table, key) {
                let rule = self.keep(rule.and_then(|rule| Grant::read(effect, rule, modules)));
                self.document.grants.extend(rule);
            }
        }
        for rule in self.rules(&mut table, "limit") {
            let rule = self.keep(rule.and_then(|rule| LimitRule::read(rule, modules)));
            self.document.limits.extend(rule);
        }
        for rule in self.rules(&mut table, "module") {
            let rule = self.keep(rule.and_then(|rule| ModuleRule::read(rule, modules)));
            self.document.modules.extend(rule);
        }
        let network = table.take("network").map(|item| item.table().and_then(NetworkRule::read)).transpose();
        self.document.network = self.keep(network).flatten();
        let hotplug = table.take("hotplug").map(|item| item.table().and_then(HotplugRule::read)).transpose();
        self.document.hotplug = self.keep(hotplug).flatten();
        let finished = table.finish();
        self.keep(finished);
    }

    /// The tables `[[key]]`.
    fn rules<'a>(&mut self, table: &mut Table<'a>, key: &'static str) -> Vec<Result<Table<'a>, PolicyError>> {
        let Some(item) = table.take(key) else { return Vec::new() };
        let rules = item.list().map_err(|error| PolicyError {
            message: format!("'{key}' must be a list of rules: each begins with [[{key}]]"),
            ..error
        });
        self.keep(rules).unwrap_or_default().iter().map(Item::table).collect()
    }

    fn keep<T>(&mut self, read: Result<T, PolicyError>) -> Option<T> {
        read.map_err(|error| self.errors.push(error)).ok()
    }
}

fn profile(item: &Item<'_>) -> Result<(&'static Profile, Origin), PolicyError> {
    let name = item.text()?;
    let profile = Profile::named(name).ok_or_else(|| {
        let meant = suggestion(name, PROFILES.iter().map(|profile| profile.name));
        item.error(format!("there is no profile '{name}'{meant}"))
    })?;
    Ok((profile, item.origin()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let commands = ["guest-ping", "guest-exec", "guest-exec-status"];
        Document::parse("policy.toml", text, &commands, &["file", "exec", "power"]).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_what_was_meant() {
        for (text, error) in [
            ("", "1:1: the key 'version' is missing"),
            ("version = 2", "1:11: this agent reads version 1 of a policy, not 2"),
            ("version = 1\nprofil = \"full\"", "2:1: unknown key 'profil', did you mean 'profile'?"),
            ("version = 1\nprofile = \"ful\"", "2:11: there is no profile 'ful', did you mean 'full'?"),
            (
                "version = 1\n[[command]]\nnames = [\"guest-exce\"]\nmode = \"deny\"",
                "3:10: there is no command 'guest-exce', did you mean 'guest-exec'?",
            ),
            (
                "version = 1\n[[command]]\nnames = [\"*\"]\nmode = \"enforc\"",
                "4:8: 'mode' is enforce, observe or deny, not 'enforc', did you mean 'enforce'?",
            ),
            ("version = 1\n[[command]]\nnames = \"*\"\nmode = \"deny\"", "3:9: 'names' must be a list, not string"),
            ("version = 1\n[[command]]\nnames = []\nmode = \"deny\"", "3:9: 'names' is empty: it would mean nothing"),
            (
                "version = 1\n[[permit]]\ncapability = \"file\"\nreason = \"x\"",
                "3:14: there is no capability 'file', did you mean 'files'?",
            ),
            (
                "version = 1\n[[permit]]\ncapability = \"power\"\nmodes = [\"reboots\"]\nmodules = [\"power\"]\nreason = \"x\"",
                "4:10: 'reboots' is not one of powerdown, halt, reboot, suspend-disk, suspend-ram, suspend-hybrid, did you \
              mean 'reboot'?",
            ),
            (
                "version = 1\n[[permit]]\ncapability = \"clock\"\nmodules = [\"files\"]\nreason = \"x\"",
                "4:12: there is no module 'files', did you mean 'file'?",
            ),
            (
                "version = 1\n[[permit]]\ncapability = \"clock\"\nreason = \"x\"",
                "2:1: a permit needs the key 'modules': who gets the capability",
            ),
            ("version = 1\n[[forbid]]\ncapability = \"clock\"", "2:1: the key 'reason' is missing"),
            (
                "version = 1\n[[forbid]]\ncapability = \"files\"\nsize = \"1MiB\"\nreason = \"x\"",
                "4:8: 'size' says how something is done: only a permit can",
            ),
            (
                "version = 1\n[[forbid]]\ncapability = \"clock\"\ntrees = [\"/\"]\nreason = \"x\"",
                "4:1: unknown key 'trees'",
            ),
            ("version = 1\nversion = 1", "2:1: duplicate key"),
            ("version = 1\n[permit]\n", "2:1: 'permit' must be a list of rules: each begins with [[permit]]"),
        ] {
            assert_eq!(refused(text), format!("policy.toml:{error}"), "{text}");
        }
    }

    #[test]
    fn a_permit_needs_what_a_forbid_may_leave_out() {
        let rule = |key| format!("version = 1\n[[{key}]]\ncapability = \"power\"\nreason = \"x\"");
        assert!(
            refused(&(rule("permit") + "\nmodules = [\"power\"]"))
                .contains("2:1: a permit of 'power' needs the key 'modes'")
        );
        let document = Document::parse("policy.toml", &rule("forbid"), &[], &[]).unwrap();
        assert_eq!(document.grants.len(), 1);
    }

    #[test]
    fn a_pace_is_a_reason_to_deny() {
        let rule = |mode: &str, pace: &str| {
            format!("version = 1\n[[command]]\nnames = [\"guest-exec\"]\nmode = \"{mode}\"\nfaster-than = {pace}")
        };
        let (calls, seconds) = ("{ calls = 0, seconds = 60 }", "{ calls = 1, seconds = 86400 }");
        assert!(refused(&rule("enforce", "{ calls = 1, seconds = 60 }")).contains("goes with mode = \"deny\""));
        assert!(refused(&rule("deny", calls)).ends_with("'calls' is 1 to 10000, not 0"));
        assert!(refused(&rule("deny", seconds)).ends_with("'seconds' is 1 to 3600, not 86400"));
        assert!(refused(&rule("deny", "{ calls = 1 }")).ends_with("the key 'seconds' is missing"));
    }

    #[test]
    fn an_owner_is_told_all_at_once() {
        let told = |text: &str| {
            let (document, errors) = Document::read("p", text, &["guest-ping"], &["power"]);
            let errors: Vec<_> = errors.iter().map(|error| error.origin.to_string()).collect();
            (document.commands.len() + document.grants.len() + document.limits.len(), errors.join(" "))
        };
        let text = "version = 2\nprofile = \"x\"\n[[limit]]\n[[forbid]]\ncapability = \"power\"\nreason = 1\n\
                    [[command]]\nnames = [\"*\"]\nmode = \"deny\"\n[[command]]\nnames = [\"x\"]\nmode = \"y\"\n";
        assert_eq!(told(text), (1, "p:1:11 p:2:11 p:3:1 p:6:10 p:11:10".to_owned()));
        assert_eq!(told("version = \nprofile = x\n"), (0, "p:1:11 p:2:11".to_owned()), "of syntax too");
    }
}
