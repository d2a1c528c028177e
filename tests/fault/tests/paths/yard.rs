//! A yard: a scratch folder with the tree `in`, which the policy permits, a secret outside of it, and an agent.

use bulkhead_test_support::{Agent, Client, Scratch, agent_under_test};
use nix::sys::stat::{Mode, SFlag, mknod};
use nix::unistd::{geteuid, mkfifo};
use serde_json::{Value, json};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

pub(crate) const DENIED: &str = "Permission denied";
pub(crate) const ALL: &str = r#"access = ["read", "write", "append", "create", "truncate"]"#;

/// A yard and its agent.
pub(crate) struct Yard {
    pub(crate) agent: Agent,
    client: Client,
}

impl Yard {
    /// With `rules`, in which `~` stands for the yard.
    pub(crate) fn new(rules: &str) -> Self {
        Self::behind(ground(), &agent_under_test(), rules)
    }

    pub(crate) fn behind(scratch: Scratch, binary: &Path, rules: &str) -> Self {
        let rules = rules.replace('~', scratch.path().to_str().expect("a scratch folder's name is text"));
        let head = "version = 1\n[[command]]\nnames = [\"guest-file-*\"]\nmode = \"enforce\"\n";
        let policy = scratch.join("policy.toml");
        std::fs::write(&policy, format!("{head}{rules}")).expect("the policy can be written");
        let agent = Agent::start_in(scratch, binary, &["--policy", policy.to_str().expect("it is text")], &[]);
        let client = agent.client();
        Yard { agent, client }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.agent.scratch().join(name)
    }

    /// A path as a client writes it: absolute, or below the yard but not made plain.
    pub(crate) fn text(&self, name: &str) -> String {
        if name.starts_with('/') || name.is_empty() {
            return name.to_owned();
        }
        format!("{}/{name}", self.agent.scratch().path().display())
    }

    pub(crate) fn ask(&mut self, command: &str, arguments: Value) -> Result<Value, String> {
        let reply = self.client.call(command, arguments);
        match reply.value.get("return") {
            Some(value) => Ok(value.clone()),
            None => Err(reply.desc().rsplit(": ").next().unwrap_or_default().to_owned()),
        }
    }

    pub(crate) fn open(&mut self, name: &str, mode: &str) -> Result<i64, String> {
        let path = self.text(name);
        let handle = self.ask("guest-file-open", json!({ "path": path, "mode": mode }))?;
        Ok(handle.as_i64().expect("a handle is a number"))
    }

    /// Opens for reading, reads and closes: the text, or why not.
    pub(crate) fn read(&mut self, name: &str) -> String {
        let handle = match self.open(name, "r") {
            Ok(handle) => handle,
            Err(reason) => return reason,
        };
        let read = self.ask("guest-file-read", json!({ "handle": handle }));
        self.close(handle);
        read.map_or_else(|reason| reason, |read| decoded(&read["buf-b64"]))
    }

    /// Opens with `mode`, writes "new" and closes: "written", or why not.
    pub(crate) fn write(&mut self, name: &str, mode: &str) -> String {
        let handle = match self.open(name, mode) {
            Ok(handle) => handle,
            Err(reason) => return reason,
        };
        let written = self.ask("guest-file-write", json!({ "handle": handle, "buf-b64": "bmV3" }));
        self.close(handle);
        written.map_or_else(|reason| reason, |_| "written".to_owned())
    }

    pub(crate) fn close(&mut self, handle: i64) {
        self.ask("guest-file-close", json!({ "handle": handle })).expect("an open file can be closed");
    }

    pub(crate) fn content(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("it is there")
    }

    #[track_caller]
    pub(crate) fn reads(&mut self, expected: &[(&str, &str)]) {
        for (name, outcome) in expected {
            assert_eq!(self.read(name), *outcome, "{name:.80}");
        }
    }
}

/// The scratch folder of a yard.
pub(crate) fn ground() -> Scratch {
    let scratch = Scratch::new("paths");
    for folder in ["in", "in/sub", "in/private", "outside"] {
        std::fs::create_dir(scratch.join(folder)).expect("a folder can be made");
    }
    for (file, text) in [
        ("in/file", "inside"),
        ("in/sub/key", "inside"),
        ("in/private/key", "private"),
        ("outside/key", "secret"),
        ("outside/named", "secret"),
        ("only", "only"),
    ] {
        std::fs::write(scratch.join(file), text).expect("a file can be written");
    }
    let absolute = |name: &str| scratch.join(name).to_str().expect("it is text").to_owned();
    for (target, link) in [
        ("file", "in/inner"),
        ("../outside/key", "in/outer"),
        (absolute("in/file").as_str(), "in/absolute"),
        (absolute("outside/key").as_str(), "in/absolute-outer"),
        ("../outside", "in/way-out"),
        ("sub", "in/way"),
        ("outer", "in/chain"),
        ("loop", "in/loop"),
        ("../outside/new", "in/dangling"),
        ("private/key", "in/to-private"),
        ("/proc/self/root", "in/magic"),
        ("in", "alias"),
    ] {
        symlink(target, scratch.join(link)).expect("a link can be made");
    }
    std::fs::hard_link(scratch.join("outside/named"), scratch.join("in/name")).expect("a name can be added");
    mkfifo(&scratch.join("in/fifo"), Mode::S_IRWXU).expect("a FIFO can be made");
    if geteuid().is_root() {
        let zero = nix::sys::stat::makedev(1, 5);
        mknod(&scratch.join("in/zero"), SFlag::S_IFCHR, Mode::S_IRWXU, zero).expect("a device can be made");
    }
    drop(UnixListener::bind(scratch.join("in/socket")).expect("a socket can be made"));
    scratch
}

pub(crate) fn permit(trees: &str, more: &str) -> String {
    format!("[[permit]]\ncapability = \"files\"\nmodules = [\"file\"]\ntrees = [{trees}]\n{more}\nreason = \"test\"\n")
}

pub(crate) fn forbid(tree: &str, more: &str) -> String {
    format!("[[forbid]]\ncapability = \"files\"\ntrees = [\"{tree}\"]\n{more}\nreason = \"test\"\n")
}

pub(crate) fn narrow() -> String {
    permit("\"~/in\"", ALL)
}

pub(crate) fn wide() -> String {
    permit("\"~/in\"", &format!("{ALL}\nlinks = true\nspecial = true"))
}

fn decoded(base64: &Value) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = base64.as_str().expect("it is text");
    let sixes = text.bytes().filter_map(|byte| LETTERS.iter().position(|letter| *letter == byte));
    let (mut bits, mut count, mut bytes) = (0_usize, 0, Vec::new());
    for six in sixes {
        (bits, count) = ((bits << 6 | six) & 0xFFFF, count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xFF) as u8);
        }
    }
    String::from_utf8(bytes).expect("what the yard holds is text")
}
