//! Where a transcript is played: a folder of its own and, if it asks for it, a sandbox.

use crate::notation::Placeholders;
use crate::sandbox::Sandbox;
use anyhow::{Context, Result, bail};
use bulkhead_test_support::{Client, Scratch};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Commands that reach beyond the files they name. Outside a sandbox they are never sent: the agent may be wrong.
const REACHING: [&str; 6] = ["fsfreeze-freeze", "fsfreeze-thaw", "fstrim", "shutdown", "suspend", "guest-set-"];

/// The place, and the agent if it runs.
#[derive(Debug)]
pub struct Place {
    agent: Option<Child>,
    binary: PathBuf,
    // Before `scratch`, so that its root is gone when the folder is removed.
    sandbox: Option<Sandbox>,
    scratch: Scratch,
    placeholders: Placeholders,
}

impl Place {
    /// A plain place: the agent runs as it is, and the transcript's files are in a fresh folder.
    pub fn plain(binary: &Path) -> Result<Self> {
        let scratch = Scratch::new("transcript");
        let folder = |name: &str| -> Result<String> {
            std::fs::create_dir(scratch.join(name))?;
            Ok(scratch.join(name).to_str().context("the temporary folder's name is text")?.to_owned())
        };
        let placeholders = Placeholders { scratch: folder("work")?, state: folder("state")?, pid: "0".to_owned() };
        Ok(Place { agent: None, binary: binary.to_owned(), sandbox: None, scratch, placeholders })
    }

    /// A sandbox, with file systems to freeze or without.
    pub fn sandboxed(binary: &Path, file_systems: bool) -> Result<Self> {
        let scratch = Scratch::new("sandbox");
        std::fs::create_dir(scratch.join("root"))?;
        let sandbox = Sandbox::new(&scratch.join("root"), binary, file_systems)?;
        let placeholders = Placeholders { scratch: "/scratch".into(), state: "/state".into(), pid: "0".to_owned() };
        Ok(Place { agent: None, binary: "/bin/qemu-ga".into(), sandbox: Some(sandbox), scratch, placeholders })
    }

    /// What the placeholders stand for here.
    pub fn placeholders(&self) -> &Placeholders {
        &self.placeholders
    }

    /// The agent has started a process: from now on it is the one that `[PID]` stands for.
    pub fn started(&mut self, pid: i64) {
        self.placeholders.pid = pid.to_string();
    }

    /// Whether these bytes may be sent here.
    pub fn permits(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        self.sandbox.is_some() || !REACHING.iter().any(|command| text.contains(command))
    }

    /// Starts the agent and connects to it. An agent that ends instead is an error with what it said.
    pub fn start(&mut self, arguments: &[String]) -> Result<Client> {
        let socket = self.socket();
        // A killed agent leaves its socket behind, which would look like a living one.
        let _ = std::fs::remove_file(&socket);
        let listen: &Path = if self.sandbox.is_some() { "/run/socket".as_ref() } else { &socket };
        let log = File::options().create(true).append(true).open(self.scratch.join("log"))?;
        let agent = self
            .command(self.binary.to_str().context("the agent's path is text")?)
            .args(["-m", "unix-listen", "-p"])
            .arg(listen)
            .args(["-t", &self.placeholders.state])
            .args(arguments.iter().map(|argument| self.placeholders.fill(argument)))
            .env("QGA_CONF", "/nonexistent/configuration")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let agent = self.agent.insert(agent);
        let patience = Instant::now() + Duration::from_secs(10);
        while !socket.exists() {
            if agent.try_wait()?.is_some() || Instant::now() > patience {
                let log = std::fs::read_to_string(self.scratch.join("log")).unwrap_or_default();
                bail!("the agent did not start: {}", log.lines().next().unwrap_or("it said nothing"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        if let Some(sandbox) = &self.sandbox {
            sandbox.inside(agent)?;
        }
        self.connect()
    }

    /// A new connection to the agent.
    pub fn connect(&self) -> Result<Client> {
        let mut client = Client::connect(&self.socket());
        client.patience = Duration::from_secs(5);
        Ok(client)
    }

    /// Kills the agent, as a crash would.
    pub fn kill(&mut self) {
        let Some(mut agent) = self.agent.take() else { return };
        let process = match &self.sandbox {
            None => Ok(agent.id()),
            Some(sandbox) => sandbox.inside(&agent),
        };
        if let Ok(process) = process {
            let process = nix::unistd::Pid::from_raw(process as i32);
            let _ = nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGKILL);
        }
        let _ = agent.wait();
    }

    /// Runs a line of shell, in the transcript's folder, and tells the lines it printed.
    pub fn run(&self, line: &str) -> Result<Vec<String>> {
        let line = format!("cd {} && {{ {line}\n}}", self.placeholders.scratch);
        let output = self.command("/bin/sh").args(["-c", &line]).stdin(Stdio::null()).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// The agent's socket, as it is named outside.
    fn socket(&self) -> PathBuf {
        match &self.sandbox {
            None => self.scratch.join("socket"),
            Some(sandbox) => sandbox.root().join("run/socket"),
        }
    }

    /// A command that will run in this place.
    fn command(&self, program: &str) -> Command {
        match &self.sandbox {
            None => {
                let mut command = Command::new(program);
                command.env("LC_ALL", "C");
                command
            }
            Some(sandbox) => sandbox.command(program),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.kill();
    }
}
