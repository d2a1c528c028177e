//! A place to install modules in: an owner's keys and policy, a store, and a vendor who makes and signs modules.
//!
//! Keys and signatures are those of the real `minisign`, and what installs is the real `bulkhead`.

use crate::sample::{ANSWER_SCHEMA, manifest, packed};
use bulkhead_test_support::{Agent, Scratch, agent_named, tools};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A policy under which clients may use the samples' command, and the samples may do nothing in particular.
pub const SAMPLES_POLICY: &str = "version = 1
profile = \"standard\"

[[command]]
names = [\"__com.example_answer\"]
mode = \"enforce\"
reason = \"the samples\"
";

/// The place.
#[derive(Debug)]
pub struct Place {
    scratch: Scratch,
    agent: PathBuf,
}

/// What a tool said.
#[derive(Debug)]
pub struct Said {
    /// Its exit status; none if a signal ended it.
    pub status: Option<i32>,
    /// On stdout.
    pub out: String,
    /// On stderr.
    pub err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("a tool speaks UTF-8");
        Said { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// What it said on stdout; it must have succeeded.
    pub fn good(self) -> String {
        assert_eq!(self.status, Some(0), "{self:?}");
        self.out
    }

    /// What it said on stderr; it must have failed in an orderly way.
    pub fn bad(self) -> String {
        assert_eq!(self.status, Some(1), "{self:?}");
        assert!(!self.err.contains("panicked"), "{self:?}");
        self.err
    }
}

impl Place {
    /// With the vendor's key, which may sign `com.example.*`, `file` and `core`, with [`SAMPLES_POLICY`], and with no store yet.
    #[expect(clippy::new_without_default, reason = "it makes folders and keys, which a default does not")]
    pub fn new() -> Self {
        let scratch = Scratch::new("place");
        // Whatever the mask of whoever runs the tests: what others can write would be refused.
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).expect("the folder is ours");
        fs::create_dir(scratch.join("keys.d")).expect("a fresh folder can be made");
        let place = Place { agent: agent_named("bulkhead-agent", &scratch), scratch };
        place.write("policy.toml", SAMPLES_POLICY);
        place.make_key("vendor");
        place.trust("vendor", "modules: com.example.* file core\n");
        place
    }

    /// Something in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// The store.
    pub fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// Writes a file.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, contents).expect("a scratch folder can be written to");
        path
    }

    /// Makes a pair of keys, which the owner does not know yet.
    pub fn make_key(&self, name: &str) {
        let (public, secret) = (self.path(&format!("{name}.pub")), self.path(&format!("{name}.key")));
        minisign(Command::new("minisign").args(["-G", "-W", "-f", "-p"]).arg(public).arg("-s").arg(secret));
    }

    /// Has the owner trust a key, with these lines behind minisign's two.
    pub fn trust(&self, name: &str, lines: &str) {
        let key = fs::read_to_string(self.path(&format!("{name}.pub"))).expect("the key was made");
        self.write(&format!("keys.d/{name}.pub"), key + lines);
    }

    /// Signs a file as the vendor does.
    pub fn sign(&self, file: &Path) {
        self.sign_with("vendor", file);
    }

    /// Signs a file with another key.
    pub fn sign_with(&self, name: &str, file: &Path) {
        let secret = self.path(&format!("{name}.key"));
        minisign(Command::new("minisign").arg("-S").arg("-s").arg(secret).arg("-m").arg(file));
    }

    /// Writes a module's file, signed.
    pub fn signed(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.write(name, bytes);
        self.sign(&path);
        path
    }

    /// The good sample in this version, 1 or 2, signed: its counter is its version, and it answers with it.
    pub fn answers(&self, version: u64) -> PathBuf {
        let module = packed(&format!("answers_{version}"), &manifest("com.example.answer", version, ANSWER_SCHEMA));
        self.signed(&format!("answers-{version}.wasm"), &module)
    }

    /// A tool `bulkhead module ...` of this place, to be started.
    pub fn command(&self, args: &[&str]) -> Command {
        self.command_on(&self.store(), args)
    }

    /// The same on another store.
    pub fn command_on(&self, store: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(tools());
        command.arg("module").args(args);
        command.arg("--store").arg(store).arg("--keys").arg(self.path("keys.d"));
        command.arg("--policy").arg(self.path("policy.toml")).arg("--compiler").arg(compiler());
        command.stdin(Stdio::null());
        command
    }

    /// Runs a tool of this place.
    pub fn tool(&self, args: &[&str]) -> Said {
        self.tool_on(&self.store(), args)
    }

    /// Runs a tool on another store.
    pub fn tool_on(&self, store: &Path, args: &[&str]) -> Said {
        Said::of(self.command_on(store, args).output().expect("the tool can be started"))
    }

    /// Installs a file.
    pub fn install(&self, file: &Path) -> Said {
        self.tool(&["install", file.to_str().expect("the tests' paths are UTF-8")])
    }

    /// Starts an agent with this place's policy and store.
    pub fn agent(&self) -> Agent {
        let path = |name: &str| self.path(name).to_str().expect("the tests' paths are UTF-8").to_owned();
        let extra = [format!("--policy={}", path("policy.toml")), format!("--module-store={}", path("store"))];
        Agent::start(&self.agent, &extra.each_ref().map(String::as_str))
    }
}

/// The compiler that was built with the agent.
pub fn compiler() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/release/bulkhead-compile");
    path.canonicalize().expect("bulkhead-compile is there: run `make build` first")
}

fn minisign(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("minisign can be started (package minisign)");
    assert!(output.status.success(), "{output:?}");
}
