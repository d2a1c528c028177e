//! A house for villains: an agent in this process, on a system that pretends, with a module of our choice in the place
//! of one of its own.
#![allow(clippy::missing_panics_doc, reason = "a failed helper fails the test that called it")]

use bulkhead_broker::Broker;
use bulkhead_broker::logging::LogHold;
use bulkhead_broker::policy_files::profile;
use bulkhead_broker::rulings::Lists;
use bulkhead_broker::state::State;
use bulkhead_catalog::{Capability, commands, modules, worlds};
use bulkhead_gate::Gate;
use bulkhead_host::dispatcher::Dispatcher;
use bulkhead_host::modules::Installed;
use bulkhead_host::runtime::Runtime;
use bulkhead_policy::{Document, Policy};
use bulkhead_protocol::{Framer, Limits};
use bulkhead_sys::Fake;
use bulkhead_test_support::Scratch;
use serde_json::Value;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use wasmtime::component::Component;

/// The agent.
#[derive(Debug)]
pub struct House {
    dispatcher: Dispatcher,
    scratch: Scratch,
}

impl House {
    /// On `system`, with the built-in modules.
    pub fn new(system: &Fake) -> Self {
        Self::with(system, Runtime::new().expect("the engine starts"))
    }

    /// On `system`, with the villain in the place of `module`.
    pub fn with_villain(system: &Fake, module: &'static str, villain: &str) -> Self {
        let mut runtime = Runtime::new().expect("the engine starts");
        let code = compiled(villain);
        // SAFETY: the code was made by `bulkhead-compile` a moment ago, in a folder of this test alone.
        #[expect(unsafe_code, reason = "loading compiled code")]
        let component = unsafe { Component::deserialize(runtime.engine(), code) }.expect("the villain's code loads");
        let is_vendors = !modules::is_built_in(module);
        let imports = Capability::ALL.iter().copied().filter(|it| is_vendors || worlds::may_import(module, *it));
        let imports = Rc::from(imports.collect::<Vec<_>>());
        let villain = Installed { component, digest: villain.into(), imports };
        runtime.modules_mut().set_installed([(module, villain)].into());
        Self::with(system, runtime)
    }

    /// On `system`, with the villain as a module of a vendor's that has these commands, of which it says whether they may run
    /// while file systems are frozen.
    pub fn with_vendor(system: &Fake, module: &'static str, villain: &str, commands: &[(&'static str, bool)]) -> Self {
        let house = Self::with_villain(system, module, villain);
        let installed = commands::installed(vec!["files"], Vec::new());
        let command = |(name, allowed_while_frozen): &(&'static str, bool)| commands::Command {
            name,
            module,
            success_response: true,
            allowed_while_frozen: *allowed_while_frozen,
            installed: Some(installed),
        };
        let catalog = commands::Catalog::with(commands.iter().map(command));
        house.dispatcher.broker().borrow_mut().set_catalog(catalog);
        house
    }

    fn with(system: &Fake, runtime: Runtime) -> Self {
        let scratch = Scratch::new("fault");
        let state = State::open(scratch.path()).expect("a fresh state directory opens");
        let gate = Gate::new(Box::new(system.clone()), Some("/etc/hook".into()), Rc::new(profile("full")));
        let broker = Broker::new(gate, Lists::default(), state, LogHold::new(None));
        House { dispatcher: Dispatcher::new(runtime, Rc::new(RefCell::new(broker))), scratch }
    }

    /// Puts the rules of a policy in force; the line with its version is not needed.
    pub fn set_policy(&self, rules: &str) {
        let (commands, modules) = (commands::names(), modules::names());
        let text = format!("version = 1\n{rules}");
        let document = Document::parse("test", &text, &commands, &modules).unwrap_or_else(|error| panic!("{error}"));
        let policy = Policy::merge([document], &commands, &modules).expect("the rules go together");
        self.dispatcher.broker().borrow().gate.set_policy(Rc::new(policy));
    }

    /// Sends a request and gives its reply; nothing if it has none.
    pub fn ask(&mut self, request: &str) -> Option<Value> {
        let mut framer = Framer::new(Limits::default());
        framer.push(request.as_bytes());
        let message = framer.next().expect("the request is whole");
        let reply = self.dispatcher.answer(message);
        // As a session does: what comes next meets an instance that was made ready.
        self.dispatcher.settle();
        let reply = reply?.into_bytes();
        let line = reply.strip_prefix(&[0xFF]).unwrap_or(&reply);
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1, "one reply is one line");
        Some(serde_json::from_slice(line).expect("a reply is JSON"))
    }

    /// Sends a command without arguments, which must fail, and gives its error's description.
    pub fn failure(&mut self, command: &str) -> String {
        let reply = self.ask(&format!(r#"{{"execute":"{command}"}}"#)).expect("a failure is answered");
        reply.pointer("/error/desc").and_then(Value::as_str).unwrap_or_else(|| panic!("{reply}")).to_owned()
    }

    /// Sends a command without arguments, which must succeed, and gives its return.
    pub fn success(&mut self, command: &str) -> Value {
        let reply = self.ask(&format!(r#"{{"execute":"{command}"}}"#)).expect("the command is answered");
        reply.get("return").unwrap_or_else(|| panic!("{reply}")).clone()
    }

    /// Whether the frozen state is on record.
    pub fn is_frozen_on_record(&self) -> bool {
        self.scratch.join("qga.state.isfrozen").exists()
    }
}

/// A villain's machine code, compiled now.
fn compiled(villain: &str) -> Vec<u8> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let component = target.join(format!("wasm32-unknown-unknown/module/examples/{villain}.wasm"));
    assert!(component.exists(), "{} is not there: run `make villains` first", component.display());
    let scratch = Scratch::new("villain");
    let code = scratch.join("code");
    let compiler: PathBuf = target.join("release/bulkhead-compile");
    let form = if cfg!(target_arch = "aarch64") { "aarch64" } else { "x86-64" };
    let status = Command::new(&compiler)
        .args(["--form", form])
        .args([&component, &code])
        .status()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", compiler.display()));
    assert!(status.success(), "the villain compiles");
    std::fs::read(code).expect("the compiler wrote a file")
}
