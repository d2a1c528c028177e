//! A store for unit tests: versions of the module `core`, which all have the built-in module's code.

use super::load::{Loaded, Loader};
use super::record::Record;
use crate::modules::{Form, bytes};
use bulkhead_catalog::commands::{self, COMMANDS};
use bulkhead_catalog::modules;
use bulkhead_engine::IDENTITY;
use bulkhead_policy::{Document, Policy};
use bulkhead_store::{Code, Command, Manifest, Store, Version, digest};
use bulkhead_test_support::Scratch;
use wasmtime::Engine;

/// Lets installed modules take the place of `core`, with two good calls of probation and two failures later.
pub(crate) const REPLACE: &str = "[[module]]\nnames = [\"core\"]\nreplace = true\nprobation = 2\n\
    strikes = { failures = 2, seconds = 600 }\nreason = \"tests\"\n";

/// A store, and what reads it.
pub(crate) struct Shop {
    pub(crate) store: Store,
    engine: Engine,
    /// The store is removed with it.
    _scratch: Scratch,
}

/// The version of `core` with this counter.
pub(crate) fn version(counter: u64) -> Version {
    let built_in = COMMANDS.iter().filter(|command| command.module == "core").map(|command| Command {
        name: command.name.to_owned(),
        while_frozen: command.allowed_while_frozen,
        success_response: command.success_response,
        arguments: Vec::new(),
    });
    let manifest = Manifest {
        manifest: 1,
        name: "core".to_owned(),
        version: format!("{counter}.0"),
        counter,
        agent: "0.1.0".to_owned(),
        description: "a module for tests".to_owned(),
        commands: built_in.collect(),
        schema: String::new(),
        self_test: Vec::new(),
    };
    let code = Code {
        form: Form::detect().name().to_owned(),
        engine: IDENTITY.to_owned(),
        digest: digest::of(machine_code()),
    };
    Version {
        digest: digest::of(&component(counter)),
        manifest,
        imports: vec!["agent".to_owned()],
        signer: "nobody".to_owned(),
        codes: vec![code],
        installed: 1_700_000_000,
        proven: false,
    }
}

/// A policy of these rules.
pub(crate) fn policy(rules: &str) -> Policy {
    let (commands, modules) = (commands::names(), modules::names());
    let document = Document::parse("policy.toml", &format!("version = 1\n{rules}"), &commands, &modules).unwrap();
    Policy::merge([document], &commands, &modules).unwrap()
}

impl Shop {
    /// With these versions, the last of which is current. The engine is that which is to run them.
    pub(crate) fn new(versions: &[Version], engine: &Engine) -> Self {
        let scratch = Scratch::new("shop");
        let shop = Shop { store: Store::new(scratch.join("modules")), engine: engine.clone(), _scratch: scratch };
        for version in versions {
            let codes: Vec<_> = version.codes.iter().map(|code| (code.clone(), machine_code().to_vec())).collect();
            let commit = |state: &mut bulkhead_store::State| {
                state.modules.entry("core".to_owned()).or_default().add(version.clone());
                Ok(())
            };
            let component = component(version.manifest.counter);
            shop.store.install("install", &component, "a signature", &codes, commit).unwrap();
        }
        shop
    }

    /// What a reading of it finds, under a policy and with what the store has not heard of yet.
    pub(super) fn read(&self, policy: Policy, records: &[Record]) -> Loaded {
        let (store, engine) = (self.store.clone(), self.engine.clone());
        Loader { store, engine, form: Form::detect(), policy, records: records.to_vec(), aim: None }.run()
    }
}

fn machine_code() -> &'static [u8] {
    bytes("core", Form::detect()).unwrap()
}

fn component(counter: u64) -> Vec<u8> {
    format!("core {counter}").into_bytes()
}
