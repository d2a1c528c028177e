//! Reading the store, and making its modules ready to be instantiated. This happens on a thread of its own and knows nothing of
//! requests.

use super::record::Record;
use crate::capability::{CONVERSATION, Compartment, bindings::OfferedPre};
use crate::modules::{self, Form};
use crate::running::LeftOut;
use bulkhead_catalog::Capability;
use bulkhead_catalog::commands::COMMANDS;
use bulkhead_catalog::modules::is_built_in;
use bulkhead_engine::IDENTITY;
use bulkhead_policy::Policy;
use bulkhead_store::{State, Store, Version};
use bulkhead_watch::Aim;
use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use wasmtime::Engine;
use wasmtime::component::Component;

/// What is needed to read a store.
pub(super) struct Loader {
    pub(super) store: Store,
    pub(super) engine: Engine,
    pub(super) form: Form,
    pub(super) policy: Policy,
    /// What the store has not heard of yet.
    pub(super) records: Vec<Record>,
    /// Aimed before the store is read, so that no change is missed.
    pub(super) aim: Option<Aim>,
}

/// What was found.
#[derive(Debug)]
pub(super) enum Loaded {
    /// There is no store, or it is gone.
    Nothing,
    /// The store cannot be read: why, in one sentence.
    Unreadable(String),
    /// What it says.
    Found(Found),
}

/// The modules of a store.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Those that can serve, each with the version that would come after it.
    pub(super) chosen: Vec<(Candidate, Option<Candidate>)>,
    /// Those that cannot.
    pub(super) left_out: Vec<LeftOut>,
    /// Whether one of them only waits for its code to be compiled for this agent.
    pub(super) wants_code: bool,
}

/// A version of a module that can serve.
pub struct Candidate {
    /// It, as the store has it.
    pub version: Version,
    /// Its machine code.
    pub component: Component,
    /// The same, linked with what its world imports.
    pub template: OfferedPre<Compartment>,
}

impl fmt::Debug for Candidate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manifest = &self.version.manifest;
        write!(formatter, "{} {} ({})", manifest.name, manifest.version, self.version.digest)
    }
}

/// Why a version cannot serve.
struct Unfit {
    why: String,
    wants_code: bool,
}

impl Loader {
    /// Reads the store.
    pub(super) fn run(self) -> Loaded {
        if let Some(aim) = &self.aim
            && let Err(error) = aim.at(self.store.root(), OsStr::new("state.json"))
        {
            return Loaded::Unreadable(format!("{} cannot be watched: {error}", self.store.root().display()));
        }
        let mut state = match self.store.read() {
            Ok(state) if state == State::default() => return Loaded::Nothing,
            Ok(state) => state,
            Err(error) => return Loaded::Unreadable(in_one_sentence(error)),
        };
        for record in &self.records {
            record.enter(&mut state);
        }
        Loaded::Found(self.choose(&state))
    }

    fn choose(&self, state: &State) -> Found {
        let mut found = Found::default();
        for version in state.running() {
            let name = &version.manifest.name;
            match self.candidate(version) {
                Ok(first) => {
                    let next = state.predecessor(name, &version.digest).and_then(|next| self.candidate(next).ok());
                    found.chosen.push((first, next));
                }
                Err(unfit) => {
                    found.wants_code |= unfit.wants_code;
                    let (module, version) = (name.clone(), version.manifest.version.clone());
                    found.left_out.push(LeftOut { module, version, why: unfit.why });
                }
            }
        }
        found
    }

    /// Makes a version ready, if it may serve and can.
    fn candidate(&self, version: &Version) -> Result<Candidate, Unfit> {
        let name = &version.manifest.name;
        if is_built_in(name) {
            if !self.policy.module(name).may_replace {
                let why = format!("the policy does not say 'replace = true' of {name} in a [[module]]");
                return Err(why.into());
            }
            if let Some(missing) = missing_command(version) {
                return Err(
                    format!("it lacks the command {missing}, which the built-in module of this agent has").into()
                );
            }
        }
        let codes = version.codes.iter().filter(|code| code.form == self.form.name());
        let Some(code) = codes.into_iter().find(|code| code.engine == IDENTITY) else {
            let why = "it is not compiled for this agent: bulkhead module recompile".to_owned();
            return Err(Unfit { why, wants_code: true });
        };
        let bytes = self.store.code(code).map_err(in_one_sentence)?;
        let component = modules::component(&self.engine, &bytes)
            .map_err(|error| format!("its code cannot be loaded: {error:#}"))?;
        let mut recorded = version.imports.clone();
        recorded.sort();
        if imports(&self.engine, &component) != recorded {
            return Err("its code imports something else than what is on record: install it again".to_owned().into());
        }
        let granted: Vec<_> = recorded.iter().filter_map(|name| Capability::named(name)).collect();
        let template = modules::link(&self.engine, &component, |capability| granted.contains(&capability))
            .map_err(|error| format!("it does not fit this agent: {error:#}"))?;
        Ok(Candidate { version: version.clone(), component, template })
    }
}

impl From<String> for Unfit {
    fn from(why: String) -> Self {
        Unfit { why, wants_code: false }
    }
}

/// The modules of a store as an agent with this policy would have them serve, and those that it would leave out; or why the
/// store cannot be read, in one sentence. For the owner's tools, which need no running agent.
pub fn of_store(
    store: &Store,
    engine: &Engine,
    form: Form,
    policy: Policy,
) -> Result<(Vec<Candidate>, Vec<LeftOut>), String> {
    let loader = Loader { store: store.clone(), engine: engine.clone(), form, policy, records: Vec::new(), aim: None };
    match loader.run() {
        Loaded::Nothing => Ok((Vec::new(), Vec::new())),
        Loaded::Unreadable(why) => Err(why),
        Loaded::Found(found) => Ok((found.chosen.into_iter().map(|(first, _)| first).collect(), found.left_out)),
    }
}

/// A command of the built-in module that the version in its place does not have: the agent may be newer.
fn missing_command(version: &Version) -> Option<&'static str> {
    let has = |name: &str| version.manifest.commands.iter().any(|command| command.name == name);
    let built_in = COMMANDS.iter().filter(|command| command.module == version.manifest.name);
    built_in.map(|command| command.name).find(|name| !has(name))
}

/// The capabilities that a component imports, in the order of their names. What is no capability stands there too, in full: it
/// is on no record.
fn imports(engine: &Engine, component: &Component) -> Vec<String> {
    let component = component.component_type();
    let names = component.imports(engine).map(|(name, _)| {
        let word = name.strip_prefix("bulkhead:agent/").and_then(|rest| rest.split('@').next());
        word.unwrap_or(name).to_owned()
    });
    let mut names: Vec<String> = names.filter(|name| !CONVERSATION.contains(&name.as_str())).collect();
    names.sort();
    names
}

/// An error and its sources.
pub(super) fn in_one_sentence(error: impl Error + Send + Sync + 'static) -> String {
    format!("{:#}", anyhow::Error::new(error))
}

#[cfg(test)]
mod tests {
    use super::super::record::Fact;
    use super::super::samples::{REPLACE, Shop, policy, version};
    use super::*;

    fn engine() -> Engine {
        Engine::new(&bulkhead_engine::config()).unwrap()
    }

    /// What is found where the policy has these rules, of versions of which the last is current.
    fn found(versions: &[Version], rules: &str, records: &[Record]) -> Found {
        found_in(&Shop::new(versions, &engine()), rules, records)
    }

    fn found_in(shop: &Shop, rules: &str, records: &[Record]) -> Found {
        match shop.read(policy(rules), records) {
            Loaded::Found(found) => found,
            other => panic!("{other:?}"),
        }
    }

    /// Why the only module is left out.
    fn why(found: &Found) -> &str {
        assert!(found.chosen.is_empty(), "{:?}", found.chosen);
        &found.left_out[0].why
    }

    #[test]
    fn a_sound_version_serves_and_the_one_before_it_comes_next() {
        let found = found(&[version(1), version(2)], REPLACE, &[]);
        let [(first, Some(next))] = found.chosen.as_slice() else { panic!("{found:?}") };
        assert_eq!((first.version.manifest.counter, next.version.manifest.counter), (2, 1));
        assert!(found.left_out.is_empty() && !found.wants_code);
    }

    #[test]
    fn code_that_is_not_the_recorded_one_is_not_loaded() {
        let shop = Shop::new(&[version(1)], &engine());
        // Code as sound as any, but not that which was installed.
        let path = shop.store.root().join("code").join(format!("{}.cwasm", version(1).codes[0].digest));
        let other = modules::bytes("file", Form::detect()).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, other).unwrap();
        let found = found_in(&shop, REPLACE, &[]);
        assert!(why(&found).contains("was changed since it was installed"), "{}", why(&found));
    }

    #[test]
    fn code_must_import_what_is_on_record_neither_more_nor_less() {
        for imports in [&[][..], &["files"], &["agent", "files"]] {
            let mut version = version(1);
            version.imports = imports.iter().map(|name| (*name).to_owned()).collect();
            let found = found(&[version], REPLACE, &[]);
            let expected = "its code imports something else than what is on record: install it again";
            assert_eq!(why(&found), expected, "{imports:?}");
        }
    }

    #[test]
    fn the_policy_is_asked_again_whether_a_built_in_module_may_be_replaced() {
        for rules in ["", &REPLACE.replace("replace = true", "replace = false")] {
            let found = found(&[version(1)], rules, &[]);
            assert_eq!(why(&found), "the policy does not say 'replace = true' of core in a [[module]]");
        }
    }

    #[test]
    fn a_newer_agent_may_have_a_command_that_the_module_in_its_place_lacks() {
        let mut version = version(1);
        version.manifest.commands.retain(|command| command.name != "guest-ping");
        let found = found(&[version], REPLACE, &[]);
        assert!(why(&found).starts_with("it lacks the command guest-ping"), "{}", why(&found));
    }

    #[test]
    fn code_of_another_engine_or_form_is_not_loaded_but_wished_for() {
        let (mut engine, mut form) = (version(1), version(1));
        engine.codes[0].engine = "wasmtime 1.2.3, configuration 0".to_owned();
        form.codes[0].form = "another".to_owned();
        for version in [engine, form] {
            let found = found(&[version], REPLACE, &[]);
            assert!(found.wants_code && why(&found).starts_with("it is not compiled for this agent"));
        }
    }

    #[test]
    fn a_version_before_that_cannot_serve_does_not_come_next() {
        let mut before = version(1);
        before.imports.clear();
        let found = found(&[before, version(2)], REPLACE, &[]);
        assert!(found.chosen[0].1.is_none() && found.left_out.is_empty(), "{found:?}");
    }

    #[test]
    fn what_the_store_has_not_heard_of_counts() {
        let of = |counter: u64, fact| {
            let digest = version(counter).digest;
            Record { module: "core".to_owned(), version: format!("{counter}.0"), digest, fact }
        };
        let withdrawn = of(2, Fact::Withdrawn { reason: "it failed".to_owned(), since: 0 });
        let found = found(&[version(1), version(2)], REPLACE, &[withdrawn, of(1, Fact::Proven)]);
        let [(first, None)] = found.chosen.as_slice() else { panic!("{found:?}") };
        assert_eq!((first.version.manifest.counter, first.version.proven), (1, true));
    }

    #[test]
    fn no_store_is_none_and_a_broken_one_is_unreadable() {
        let shop = Shop::new(&[], &engine());
        assert!(matches!(shop.read(policy(""), &[]), Loaded::Nothing));
        std::fs::create_dir_all(shop.store.root()).unwrap();
        std::fs::write(shop.store.root().join("state.json"), "{").unwrap();
        assert!(matches!(shop.read(policy(""), &[]), Loaded::Unreadable(_)));
    }
}
