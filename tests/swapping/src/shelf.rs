//! A store that is filled without the owner's tools, as quickly as a disk can take it, with modules that the tools would refuse.

use bulkhead_catalog::commands::COMMANDS;
use bulkhead_engine::IDENTITY;
use bulkhead_store::{Code, Command, Manifest, State, Store, Version, digest};
use bulkhead_test_support::{Agent, Scratch, agent_under_test};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The forms of machine code of this architecture.
#[cfg(target_arch = "x86_64")]
const FORMS: &[&str] = &["x86-64-v2", "x86-64"];
#[cfg(not(target_arch = "x86_64"))]
const FORMS: &[&str] = &["aarch64"];

/// Lets clients do everything, and installed modules take the places of built-in ones.
pub(crate) const POLICY: &str = "version = 1\nprofile = \"full\"\n\
    [[module]]\nnames = [\"core\", \"file\", \"exec\"]\nreplace = true\nprobation = 5\n\
    strikes = { failures = 2, seconds = 600 }\n\
    reason = \"tests\"\n";

/// A store in a scratch folder, and the policy beside it.
#[derive(Debug)]
pub struct Shelf {
    store: Store,
    policy: PathBuf,
}

/// A version of a module.
#[derive(Clone, Debug)]
pub struct Sample {
    version: Version,
    component: Vec<u8>,
    codes: Vec<(Code, Vec<u8>)>,
}

impl Sample {
    /// The built-in module `name` once more, as the version with this counter. It says that it has the commands `more` too; what
    /// it answers to them is that it does not.
    pub fn again(name: &str, counter: u64, more: &[&str]) -> Self {
        let code = |form: &str| read(&format!("modules/{name}.{form}.cwasm"));
        let imports = match name {
            "core" => "agent",
            "file" => "files",
            "exec" => "processes",
            other => panic!("say what {other} imports"),
        };
        Self::new(name, counter, &[imports], more, code)
    }

    /// A villain of `tests/fault` in the place of the module `core`.
    pub fn villain(villain: &str, counter: u64) -> Self {
        let component = target().join(format!("wasm32-unknown-unknown/module/examples/{villain}.wasm"));
        assert!(component.exists(), "{} is not there: run `make villains` first", component.display());
        let code = |form: &str| {
            let scratch = Scratch::new("villain");
            let mut compiler = std::process::Command::new(target().join("release/bulkhead-compile"));
            let compiler = compiler.args(["--form", form]).arg(&component).arg(scratch.join("code"));
            assert!(compiler.status().expect("the compiler can be started").success());
            std::fs::read(scratch.join("code")).expect("the compiler wrote a file")
        };
        // It calls nothing of its world.
        Self::new("core", counter, &[], &[], code)
    }

    fn new(name: &str, counter: u64, imports: &[&str], more: &[&str], code: impl Fn(&str) -> Vec<u8>) -> Self {
        let built_in = COMMANDS.iter().filter(|command| command.module == name).map(|command| {
            let (while_frozen, success_response) = (command.allowed_while_frozen, command.success_response);
            Command { name: command.name.to_owned(), while_frozen, success_response, arguments: Vec::new() }
        });
        let added = more.iter().map(|name| Command {
            name: (*name).to_owned(),
            while_frozen: false,
            success_response: true,
            arguments: Vec::new(),
        });
        let manifest = Manifest {
            manifest: 1,
            name: name.to_owned(),
            version: format!("{counter}.0"),
            counter,
            agent: "0.1.0".to_owned(),
            description: "a module for tests".to_owned(),
            commands: built_in.chain(added).collect(),
            schema: String::new(),
            self_test: Vec::new(),
        };
        let component = format!("{name} {counter}").into_bytes();
        let codes: Vec<_> = FORMS
            .iter()
            .map(|form| {
                let bytes = code(form);
                let (form, engine) = ((*form).to_owned(), IDENTITY.to_owned());
                (Code { form, engine, digest: digest::of(&bytes) }, bytes)
            })
            .collect();
        let version = Version {
            digest: digest::of(&component),
            manifest,
            imports: imports.iter().map(|name| (*name).to_owned()).collect(),
            signer: "nobody".to_owned(),
            codes: codes.iter().map(|(code, _)| code.clone()).collect(),
            installed: 1_700_000_000,
            proven: false,
        };
        Sample { version, component, codes }
    }

    /// The same, as made for an engine that this agent does not have.
    pub fn of_another_engine(mut self) -> Self {
        self.codes.iter_mut().for_each(|(code, _)| code.engine = "another".to_owned());
        self.version.codes = self.codes.iter().map(|(code, _)| code.clone()).collect();
        self
    }

    /// The same, as one that has come through its probation.
    pub fn proven(mut self) -> Self {
        self.version.proven = true;
        self
    }

    /// The digest of its component.
    pub fn digest(&self) -> &str {
        &self.version.digest
    }
}

impl Shelf {
    /// An empty one in `scratch`.
    pub fn new(scratch: &Scratch) -> Self {
        let policy = scratch.join("policy.toml");
        std::fs::write(&policy, POLICY).expect("a scratch folder can be written to");
        Shelf { store: Store::new(scratch.join("modules")), policy }
    }

    /// An agent with this store and its policy, and with `extra` arguments.
    pub fn agent(&self, scratch: Scratch, extra: &[&str]) -> Agent {
        let text = |path: &Path| path.to_str().expect("a scratch folder's path is plain").to_owned();
        let (policy, store) = (text(&self.policy), text(self.store.root()));
        let mut arguments = vec!["--policy", &policy, "--module-store", &store];
        arguments.extend(extra);
        Agent::start_in(scratch, &agent_under_test(), &arguments, &[])
    }

    /// Installs a version, which is current from then on.
    pub fn put(&self, sample: &Sample) {
        let Sample { version, component, codes } = sample.clone();
        let name = version.manifest.name.clone();
        let commit = |state: &mut State| {
            state.modules.entry(name).or_default().add(version);
            Ok(())
        };
        self.store.install("install", &component, "a signature", &codes, commit).expect("the store takes a module");
    }

    /// Makes one of the versions that are there the current one; none means the built-in module.
    pub fn choose(&self, name: &str, digest: Option<&str>) {
        let choose = |state: &mut State| {
            state.modules.get_mut(name).expect("the module is installed").current = digest.map(str::to_owned);
            Ok(())
        };
        self.store.update("choose", choose).expect("the store takes a change");
    }

    /// What is on record.
    pub fn state(&self) -> State {
        self.store.read().expect("the store can be read")
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        self.store.root()
    }

    /// The policy's file.
    pub fn policy(&self) -> &Path {
        &self.policy
    }
}

/// Waits up to ten seconds for something to become true.
pub fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < end, "not so after 10 s: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

fn read(path: &str) -> Vec<u8> {
    let path = target().join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}: run `make build`", path.display()))
}
