//! All files together.

use crate::command::{CommandRule, CommandVerdict, Mode};
use crate::document::Document;
use crate::error::PolicyError;
use crate::grant::{Asks, Effect, Grant, Value, Verdict};
use crate::hotplug::HotplugRule;
use crate::limit::{LimitRule, Limits};
use crate::module::ModuleRule;
use crate::network::NetworkRule;
use crate::profiles::Profile;
use crate::render::permit_for;
use std::cmp::{Ordering, Reverse};
use std::time::Duration;

/// The owner's policy as it is in force: the rules of all its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The profile it starts from, if any.
    pub profile: Option<&'static Profile>,
    /// The rules about commands.
    pub commands: Vec<CommandRule>,
    /// The rules about what modules may do.
    pub grants: Vec<Grant>,
    /// The rules about what compartments may use.
    pub limits: Vec<LimitRule>,
    /// The rules about the life of modules.
    pub modules: Vec<ModuleRule>,
    /// What is said of network interfaces.
    pub network: Option<NetworkRule>,
    /// What is said of processors and memory that are added.
    pub hotplug: Option<HotplugRule>,
}

impl Policy {
    /// Puts files together. Their order means nothing; two that start from different profiles contradict each other.
    pub fn merge(
        documents: impl IntoIterator<Item = Document>,
        commands: &[&str],
        modules: &[&str],
    ) -> Result<Self, PolicyError> {
        let mut policy = Policy::default();
        for mut document in documents {
            if let Some((profile, origin)) = document.profile.take() {
                match policy.profile {
                    Some(other) if other.name != profile.name => {
                        let message =
                            format!("another file starts from '{}': a policy has one profile at most", other.name);
                        return Err(PolicyError { origin, message });
                    }
                    _ => policy.profile = Some(profile),
                }
            }
            policy.add(document)?;
        }
        if let Some(profile) = policy.profile {
            policy.add(profile.document(commands, modules)?)?;
        }
        Ok(policy)
    }

    /// A profile of the package as it is.
    pub fn of_profile(profile: &'static Profile, commands: &[&str], modules: &[&str]) -> Result<Self, PolicyError> {
        let mut policy = Policy { profile: Some(profile), ..Policy::default() };
        policy.add(profile.document(commands, modules)?)?;
        Ok(policy)
    }

    fn add(&mut self, document: Document) -> Result<(), PolicyError> {
        self.commands.extend(document.commands);
        self.grants.extend(document.grants);
        self.limits.extend(document.limits);
        self.modules.extend(document.modules);
        self.network = match (self.network.take(), document.network) {
            (Some(one), Some(other)) => Some(one.joined(other)?),
            (one, other) => one.or(other),
        };
        self.hotplug = match (self.hotplug.take(), document.hotplug) {
            (Some(one), Some(other)) => Some(one.joined(other)),
            (one, other) => one.or(other),
        };
        Ok(())
    }

    /// Whether processors and memory that are added while the VM runs are taken into use.
    pub fn takes_online(&self) -> bool {
        self.hotplug.as_ref().is_some_and(|rule| rule.online)
    }

    /// Whether `command` may run. `calls` tells how often it came within a time until now. Of the rules that speak of it
    /// the strictest decides; none denies.
    pub fn command(&self, command: &str, frozen: bool, calls: impl Fn(Duration) -> u32) -> CommandVerdict<'_> {
        let holding = self.commands.iter().filter(|rule| rule.holds(command, frozen, &calls));
        match holding.max_by_key(|rule| (rule.mode, Reverse(&rule.origin))) {
            Some(rule) => CommandVerdict { mode: rule.mode, rule: Some(rule) },
            None => CommandVerdict { mode: Mode::Deny, rule: None },
        }
    }

    /// Whether the owner has said of the frozen state, and of this command by its name, that it runs. A rule for all commands
    /// does not know this one, and a rule for both states does not think of the frozen one.
    pub fn lets_run_while_frozen(&self, command: &str) -> bool {
        self.commands.iter().any(|rule| rule.mode != Mode::Deny && rule.names_while_frozen(command))
    }

    /// Whether `module` may use `capability` so. A forbid decides before a permit; nothing denies. Of several permits the
    /// one with the widest settings decides. Where several rules say the same, the first is named.
    pub fn judge(&self, module: &str, capability: &str, asks: &Asks<'_>) -> Verdict<'_> {
        let speaking = |effect| {
            let speaks =
                move |rule: &&Grant| rule.effect == effect && rule.concerns(module, capability) && rule.applies(asks);
            self.grants.iter().filter(speaks)
        };
        if let Some(rule) = speaking(Effect::Forbid).min_by_key(|rule| &rule.origin) {
            return Verdict { allowed: false, rule: Some(rule) };
        }
        let rule = speaking(Effect::Permit).reduce(|one, other| match other.width().cmp(&one.width()) {
            Ordering::Less => one,
            Ordering::Greater => other,
            Ordering::Equal => std::cmp::min_by_key(one, other, |rule| &rule.origin),
        });
        Verdict { allowed: rule.is_some(), rule }
    }

    /// The permit that would allow just what is asked for, as [`permit_for`] has it; done as it would be by the narrowest of the
    /// permits that speak of the first thing asked for: what is refused to a program that runs as somebody is not therefore run
    /// as root.
    pub fn permit_for(&self, module: &str, capability: &str, asks: &Asks<'_>, exact: bool) -> String {
        const REASON: &str = "reason = \"\"\n";
        let text = permit_for(module, capability, asks, exact);
        let first = asks.get(..1).filter(|first| !first.is_empty());
        let near = |rule: &&Grant| rule.effect == Effect::Permit && rule.concerns(module, capability);
        let near = first.and_then(|first| {
            self.grants
                .iter()
                .filter(near)
                .filter(|rule| rule.applies(first))
                .min_by(|one, other| one.width().cmp(&other.width()))
        });
        match (near, text.strip_suffix(REASON)) {
            (Some(near), Some(text)) => {
                let settings = near.values.iter().filter(|(key, _)| key.kind.is_setting());
                let settings: String = settings.map(|(key, value)| format!("{} = {value}\n", key.name)).collect();
                format!("{text}{settings}{REASON}")
            }
            _ => text,
        }
    }

    /// Whether `module` may do with `capability` whatever can be asked for: some permit without settings covers every use,
    /// and no forbid speaks of any. Then there is nothing to judge, and the gate need not find out what it would judge.
    pub fn is_unrestricted(&self, module: &str, capability: &str) -> bool {
        let mut concerned = self.grants.iter().filter(|rule| rule.concerns(module, capability));
        concerned.clone().all(|rule| rule.effect == Effect::Permit) && concerned.any(Grant::covers_all)
    }

    /// What the compartment of `module` may use: the narrowest of what all rules say.
    pub fn limits(&self, module: &str) -> Limits {
        self.limit_rules(module).fold(Limits::default(), |limits, rule| limits.narrowed(rule.limits))
    }

    /// The rules about what the compartment of `module` may use.
    pub fn limit_rules(&self, module: &str) -> impl Iterator<Item = &LimitRule> {
        self.limits.iter().filter(move |rule| rule.concerns(module))
    }

    /// Whether some use of `capability` by `module` is permitted, one with this word if there is one. If not, a command
    /// that needs it is of no use.
    pub fn grants_any(&self, module: &str, capability: &str, word: Option<&str>) -> bool {
        let concerned = || self.grants.iter().filter(|rule| rule.concerns(module, capability));
        concerned().any(|rule| rule.effect == Effect::Permit && word.is_none_or(|word| rule.has_word(word)))
            && !concerned().any(|rule| rule.effect == Effect::Forbid && rule.forbids_all(word))
    }

    /// What forbids of `capability` name for `module` under `key`, each once: the gate has to find out what these are.
    pub fn forbidden(&self, module: &str, capability: &str, key: &str) -> Vec<&str> {
        let concerned = self.grants.iter().filter(|rule| rule.concerns(module, capability));
        let forbids = concerned.filter(|rule| rule.effect == Effect::Forbid);
        let mut names: Vec<&str> = forbids
            .flat_map(|rule| match rule.value(key) {
                Some(Value::Texts(names)) => names.as_slice(),
                _ => &[],
            })
            .map(String::as_str)
            .filter(|name| *name != "*")
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether some permit could cover a use of `capability` by `module` with all of these words, whatever else is asked for. If not,
    /// nothing needs to be found out of what the use is about: it is denied.
    pub fn may_permit(&self, module: &str, capability: &str, words: &[&str]) -> bool {
        let permits = |rule: &&Grant| rule.effect == Effect::Permit && rule.concerns(module, capability);
        self.grants.iter().filter(permits).any(|rule| words.iter().all(|word| rule.has_word(word)))
    }

    /// The folders that rules of `capability` name for `module`, each once: where the gate has to look.
    pub fn trees(&self, module: &str, capability: &str) -> Vec<&str> {
        let concerned = self.grants.iter().filter(|rule| rule.concerns(module, capability));
        let mut trees: Vec<&str> = concerned
            .flat_map(|rule| match rule.value("trees") {
                Some(Value::Texts(trees)) => trees.as_slice(),
                _ => &[],
            })
            .map(String::as_str)
            .collect();
        trees.sort_unstable();
        trees.dedup();
        trees
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ask;

    const COMMANDS: &[&str] = &["guest-ping", "guest-exec", "guest-file-open"];
    const MODULES: &[&str] = &["file", "exec", "power"];

    fn policy(text: &str) -> Policy {
        let document = Document::parse("policy.toml", &format!("version = 1\n{text}"), COMMANDS, MODULES).unwrap();
        Policy::merge([document], COMMANDS, MODULES).unwrap()
    }

    fn mode(policy: &Policy, command: &str) -> Mode {
        policy.command(command, false, |_| 0).mode
    }

    #[test]
    fn the_strictest_rule_about_a_command_decides() {
        let rule = |mode: &str| format!("[[command]]\nnames = [\"guest-exec\"]\nmode = \"{mode}\"\n");
        assert_eq!(mode(&policy(""), "guest-exec"), Mode::Deny, "nothing permits it");
        assert_eq!(mode(&policy(&rule("observe")), "guest-exec"), Mode::Observe);
        assert_eq!(mode(&policy(&(rule("enforce") + &rule("observe"))), "guest-exec"), Mode::Enforce);
        assert_eq!(mode(&policy(&(rule("deny") + &rule("enforce"))), "guest-exec"), Mode::Deny);
        assert_eq!(mode(&policy(&rule("enforce")), "guest-ping"), Mode::Deny, "it speaks of another");
    }

    #[test]
    fn a_permit_that_is_proposed_is_no_wider_in_how_something_is_done() {
        let permit = |programs: &str, more: &str| {
            format!(
                "[[permit]]\ncapability = \"processes\"\nmodules = [\"exec\"]\nprograms = [\"{programs}\"]\n{more}reason = \"x\"\n"
            )
        };
        let names: &[&[u8]] = &[b"A"];
        let proposed = |text: &str| {
            let asks = [("programs", Ask::Thing { name: b"/srv/tool", also: &[] }), ("environment", Ask::Names(names))];
            policy(text).permit_for("exec", "processes", &asks, true)
        };
        let narrow = "environment = []\nrun-as = \"nobody\"\ntime-limit = \"9s\"\n";
        let text = proposed(&permit("/srv/tool", narrow));
        assert!(text.contains("environment = [\"A\"]\n") && text.contains("run-as = \"nobody\"\n"), "{text}");
        assert!(text.contains("time-limit = \"9s\"\n") && text.ends_with("reason = \"\"\n"), "{text}");
        assert!(!proposed(&permit("/srv/other", narrow)).contains("run-as"), "it speaks of another program");
        assert!(!proposed("").contains("run-as"));
    }

    #[test]
    fn only_a_rule_that_names_a_command_and_the_frozen_state_lets_it_run_then() {
        let lets = |names: &str, rest: &str| {
            let text = format!("[[command]]\nnames = [\"{names}\"]\nmode = {rest}\n");
            policy(&text).lets_run_while_frozen("__com.example_x")
        };
        let frozen = "\"enforce\"\nwhile = \"frozen\"";
        assert!(lets("__com.example_x", frozen) && lets("__com.example_*", frozen));
        assert!(lets("__com.example_x", "\"observe\"\nwhile = \"frozen\""));
        assert!(!lets("*", frozen) && !lets("__com.example_y", frozen));
        assert!(!lets("__com.example_x", "\"enforce\"") && !lets("__com.example_x", "\"deny\"\nwhile = \"frozen\""));
        assert!(!lets("__com.example_x", "\"enforce\"\nwhile = \"thawed\""));
    }

    #[test]
    fn a_pace_denies_only_what_is_too_fast() {
        let policy = policy(
            "[[command]]\nnames = [\"*\"]\nmode = \"enforce\"\n\
             [[command]]\nnames = [\"guest-exec\"]\nmode = \"deny\"\nfaster-than = { calls = 3, seconds = 60 }",
        );
        let at = |calls| policy.command("guest-exec", false, |within| if within.as_secs() == 60 { calls } else { 0 });
        assert_eq!(at(2).mode, Mode::Enforce);
        assert_eq!(at(3).mode, Mode::Deny);
    }

    #[test]
    fn a_forbid_wins_over_every_permit() {
        let policy = policy(
            "[[permit]]\ncapability = \"power\"\nmodules = [\"power\"]\nmodes = [\"reboot\", \"halt\"]\nreason = \"x\"\n\
             [[forbid]]\ncapability = \"power\"\nmodes = [\"halt\"]\nreason = \"x\"",
        );
        let judge = |mode: &str| policy.judge("power", "power", &[("modes", Ask::Words(&[mode]))]);
        assert!(judge("reboot").allowed);
        assert!(!judge("halt").allowed);
        assert_eq!(judge("halt").rule.map(|rule| rule.effect), Some(Effect::Forbid));
        assert_eq!(judge("powerdown"), Verdict { allowed: false, rule: None });
    }

    #[test]
    fn one_permit_must_cover_all_that_is_asked_for() {
        let policy = policy(
            "[[permit]]\ncapability = \"files\"\nmodules = [\"file\"]\ntrees = [\"/a\"]\naccess = [\"read\"]\nreason = \"x\"\n\
             [[permit]]\ncapability = \"files\"\nmodules = [\"file\"]\ntrees = [\"/b\"]\naccess = [\"read\", \"write\"]\nreason = \"x\"\n\
             [[forbid]]\ncapability = \"files\"\ntrees = [\"/b/c\"]\naccess = [\"write\"]\nreason = \"x\"",
        );
        let judge = |within: &[&str], access: &[&str], links| {
            let asks = [
                ("trees", Ask::Within { surely: within, perhaps: &[], path: b"/a/f" }),
                ("access", Ask::Words(access)),
                ("links", Ask::Flag(links)),
            ];
            policy.judge("file", "files", &asks).allowed
        };
        assert!(judge(&["/a"], &["read"], false) && !judge(&["/a"], &["read", "write"], false));
        assert!(judge(&["/b"], &["read", "write"], false) && !judge(&["/b"], &["read"], true), "no links");
        assert!(judge(&["/b", "/b/c"], &["read"], false) && !judge(&["/b", "/b/c"], &["write"], false));
        assert!(!judge(&[], &["read"], false), "in no tree");
        assert_eq!(policy.trees("file", "files"), ["/a", "/b", "/b/c"]);
        let may = |words: &[&str]| policy.may_permit("file", "files", words);
        assert!(may(&[]) && may(&["read"]) && may(&["write", "read"]) && !may(&["read", "append"]));
        assert!(!policy.may_permit("exec", "files", &[]) && !policy.may_permit("file", "power", &[]));
    }

    #[test]
    fn a_rule_for_one_module_is_nothing_to_another() {
        let policy = policy("[[permit]]\ncapability = \"clock\"\nmodules = [\"power\"]\nreason = \"x\"\n");
        assert!(policy.judge("power", "clock", &[]).allowed && policy.grants_any("power", "clock", None));
        assert!(!policy.judge("file", "clock", &[]).allowed && !policy.grants_any("file", "clock", None));
    }

    #[test]
    fn two_files_cannot_start_from_different_profiles() {
        let file = |name: &str, profile: &str| {
            Document::parse(name, &format!("version = 1\nprofile = \"{profile}\""), COMMANDS, MODULES).unwrap()
        };
        let error = Policy::merge([file("a", "full"), file("b", "minimal")], COMMANDS, MODULES).unwrap_err();
        assert_eq!(error.to_string(), "b:2:11: another file starts from 'full': a policy has one profile at most");
    }
}
