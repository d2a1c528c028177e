//! An agent process under test.

use crate::{Client, Scratch};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The binary under test: `BULKHEAD_AGENT`, else `target/release/qemu-ga`, the name by which it is a drop-in and allows what
/// qemu-ga allows. `make build` makes it.
pub fn agent_under_test() -> PathBuf {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/release/qemu-ga");
    let path = std::env::var_os("BULKHEAD_AGENT").map_or_else(|| PathBuf::from(default), PathBuf::from);
    assert!(path.exists(), "{} is not there: run `make build` first", path.display());
    std::path::absolute(path).expect("an existing path can be made absolute")
}

/// The tools of the owner and of modules' authors: `BULKHEAD_TOOLS`, else `target/release/bulkhead`. `make build` makes them, too.
pub fn tools() -> PathBuf {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/release/bulkhead");
    let path = std::env::var_os("BULKHEAD_TOOLS").map_or_else(|| PathBuf::from(default), PathBuf::from);
    assert!(path.exists(), "{} is not there: run `make build` first", path.display());
    path.canonicalize().expect("an existing path has one form")
}

/// The agent under another name, by a link in `scratch`: the name decides what is allowed without a policy.
pub fn agent_named(name: &str, scratch: &Scratch) -> PathBuf {
    let binary = agent_under_test().canonicalize().expect("the binary is there");
    let link = scratch.join(name);
    std::os::unix::fs::symlink(binary, &link).expect("a scratch folder can be written to");
    link
}

/// The oracle: `BULKHEAD_ORACLE`, else Debian's qemu-ga if it is installed.
pub fn oracle() -> Option<PathBuf> {
    let candidates = [
        std::env::var_os("BULKHEAD_ORACLE").unwrap_or_default(),
        "/usr/sbin/qemu-ga".into(),
        "/usr/bin/qemu-ga".into(),
    ];
    candidates.into_iter().map(PathBuf::from).find(|path| path.exists())
}

/// A running agent, listening on a unix socket, with a state directory of its own. Killed on drop.
#[derive(Debug)]
pub struct Agent {
    child: Child,
    scratch: Scratch,
}

impl Agent {
    /// Starts `binary` with `-m unix-listen`, its socket and its state directory in a scratch folder, and `extra`
    /// arguments behind them. Its log goes to the file `log` in the scratch folder.
    pub fn start(binary: &Path, extra: &[&str]) -> Self {
        Self::start_in(Scratch::new("agent"), binary, extra, &[])
    }

    /// As [`Agent::start`], in a scratch folder that was prepared before and with additional environment variables.
    pub fn start_in(scratch: Scratch, binary: &Path, extra: &[&str], env: &[(&str, &OsStr)]) -> Self {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(scratch.join("log"))
            .expect("the log can be made");
        let child = Command::new(binary)
            .args(["-m", "unix-listen", "-p"])
            .arg(scratch.join("socket"))
            .arg("-t")
            .arg(scratch.path())
            .args(extra)
            .env("QGA_CONF", scratch.join("no-configuration"))
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a descriptor can be copied"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", binary.display()));
        Agent { child, scratch }
    }

    /// A new connection to it.
    pub fn client(&self) -> Client {
        Client::connect(&self.scratch.join("socket"))
    }

    /// Its scratch folder: `socket`, `log`, `qga.state` and whatever the test puts there.
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.join("log")).unwrap_or_default()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process, to wait for or to kill.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Kills it (SIGKILL, as a crash would) and gives back its scratch folder, for a second life.
    pub fn kill(mut self) -> Scratch {
        let _ = self.child.kill();
        let _ = self.child.wait();
        std::mem::replace(&mut self.scratch, Scratch::new("spent"))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
