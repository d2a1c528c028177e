//! One file of a policy.

use crate::command::CommandRule;
use crate::error::{Origin, PolicyError, suggestion};
use crate::grant::{Effect, Grant};
use crate::profiles::{PROFILES, Profile};
use crate::table::{Source, Table};
use std::rc::Rc;
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
}

impl Document {
    /// Reads the text of the file called `file`. `commands` and `modules` are those that there are.
    pub fn parse(file: &str, text: &str, commands: &[&str], modules: &[&str]) -> Result<Self, PolicyError> {
        let file = Rc::from(file);
        let source = Source { file: &file, text };
        let parsed = DeTable::parse(text).map_err(|error| {
            // The parser's message has the line again, on lines of their own.
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            source.error(&error.span().unwrap_or_default(), message)
        })?;
        let mut table = Table::new(source, 0..0, parsed.get_ref());
        let version = table.required("version")?;
        match version.number()? {
            VERSION => {}
            other => {
                return Err(version.error(format!("this agent reads version {VERSION} of a policy, not {other}")));
            }
        }
        let mut document = Document::default();
        if let Some(item) = table.take("profile") {
            let name = item.text()?;
            let Some(profile) = PROFILES.iter().find(|profile| profile.name == name) else {
                let meant = suggestion(name, PROFILES.iter().map(|profile| profile.name));
                return Err(item.error(format!("there is no profile '{name}'{meant}")));
            };
            document.profile = Some((profile, item.origin()));
        }
        for rule in rules(&mut table, "command")? {
            document.commands.push(CommandRule::read(rule, commands)?);
        }
        for (key, effect) in [("permit", Effect::Permit), ("forbid", Effect::Forbid)] {
            for rule in rules(&mut table, key)? {
                document.grants.push(Grant::read(effect, rule, modules)?);
            }
        }
        table.finish()?;
        Ok(document)
    }
}

/// The tables `[[key]]`.
fn rules<'a>(table: &mut Table<'a>, key: &'static str) -> Result<Vec<Table<'a>>, PolicyError> {
    let Some(item) = table.take(key) else { return Ok(Vec::new()) };
    item.list()?.iter().map(|rule| rule.table()).collect()
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
                "version = 1\n[[permit]]\ncapability = \"power\"\nmodes = [\"reboots\"]\nreason = \"x\"",
                "4:10: 'reboots' is none of powerdown, halt, reboot, suspend-disk, suspend-ram, suspend-hybrid, did you \
              mean 'reboot'?",
            ),
            (
                "version = 1\n[[permit]]\ncapability = \"clock\"\nmodules = [\"files\"]\nreason = \"x\"",
                "4:12: there is no module 'files', did you mean 'file'?",
            ),
            ("version = 1\n[[permit]]\ncapability = \"clock\"", "2:1: the key 'reason' is missing"),
            (
                "version = 1\n[[permit]]\ncapability = \"clock\"\ntrees = [\"/\"]\nreason = \"x\"",
                "4:1: unknown key 'trees'",
            ),
            ("version = 1\nversion = 1", "2:1: duplicate key"),
        ] {
            assert_eq!(refused(text), format!("policy.toml:{error}"), "{text}");
        }
    }

    #[test]
    fn a_permit_needs_what_a_forbid_may_leave_out() {
        let rule = |key| format!("version = 1\n[[{key}]]\ncapability = \"power\"\nreason = \"x\"");
        assert!(refused(&rule("permit")).contains("2:1: a permit of 'power' needs the key 'modes'"));
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
}
