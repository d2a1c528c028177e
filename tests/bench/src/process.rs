//! The agents' binaries, and agents started from them.

use crate::connection::Connection;
use crate::pin_to;
use crate::usage::{Memory, Usage};
use anyhow::{Context, Result, ensure};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// An agent's program.
pub(crate) struct Binary {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What `--version` prints.
    pub(crate) version: String,
    /// Size of the file in bytes.
    pub(crate) bytes: u64,
    /// Whether its processes are bound to processor 1.
    pinned: bool,
}

impl Binary {
    pub(crate) fn new(path: PathBuf, pinned: bool) -> Result<Self> {
        let output = Command::new(&path).arg("--version").output();
        let output = output.with_context(|| format!("cannot run {}", path.display()))?;
        ensure!(output.status.success(), "{} --version: {}", path.display(), output.status);
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let mut file = File::open(&path)?;
        // Pages of a program that is not on its disk yet count as written to, in each process that maps them. And one that was just
        // linked lies in memory in smaller pieces than one that was read from its disk, as an installed one is: a start
        // has more faults.
        file.sync_all()?;
        posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        io::copy(&mut file, &mut io::sink())?;
        let bytes = file.metadata()?.len();
        Ok(Binary { path, version, bytes, pinned })
    }
}

/// A folder for everything the measurement makes; gone at its end. It is in memory (/dev/shm) where that exists: a
/// disk would make both agents equally slow.
pub(crate) struct Workspace(PathBuf);

impl Workspace {
    pub(crate) fn new() -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        let path = base.join(format!("bulkhead-bench-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Workspace(path))
    }

    /// The path of something in it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running agent with a client connected to it. Killed on drop.
pub(crate) struct Agent {
    child: Child,
    /// The client's end.
    pub(crate) connection: Connection,
}

impl Agent {
    /// Starts the agent on a fresh socket and state folder and connects to it. The log goes nowhere.
    pub(crate) fn start(binary: &Binary, workspace: &Workspace) -> Result<Self> {
        Self::start_with(binary, workspace, &[])
    }

    /// The same, with more options.
    pub(crate) fn start_with(binary: &Binary, workspace: &Workspace, options: &[&OsStr]) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = workspace.join(&format!("agent-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        std::fs::create_dir(&folder)?;
        let socket = folder.join("socket");
        if binary.pinned {
            pin_to(1)?;
        }
        let child = Command::new(&binary.path)
            .args(["-m", "unix-listen", "-p"])
            .arg(&socket)
            .arg("-t")
            .arg(&folder)
            .args(options)
            .env("QGA_CONF", folder.join("no-configuration"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        if binary.pinned {
            pin_to(0)?;
        }
        let mut child = child.with_context(|| format!("cannot start {}", binary.path.display()))?;
        match Connection::open(&socket) {
            Ok(connection) => Ok(Agent { child, connection }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error.context(binary.path.display().to_string()))
            }
        }
    }

    /// What the process has used so far.
    pub(crate) fn usage(&self) -> Result<Usage> {
        Usage::of(self.child.id())
    }

    /// What memory it holds now.
    pub(crate) fn memory(&self) -> Result<Memory> {
        Memory::of(self.child.id())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
