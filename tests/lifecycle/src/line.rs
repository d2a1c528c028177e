//! A serial line without hardware: a pseudo-terminal (pty(7)), whose slave side the agent takes for its device.

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{LocalFlags, tcgetattr};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// The client's end of the line. Dropping it hangs up.
#[derive(Debug)]
pub struct Line {
    master: PtyMaster,
    device: PathBuf,
    buffer: Vec<u8>,
}

impl Line {
    /// A new line in the state in which a terminal begins: it echoes, and cuts its input into edited lines.
    #[expect(clippy::new_without_default, reason = "it makes a device")]
    pub fn new() -> Self {
        // Close-on-exec: a copy in a child of another test would keep the line from hanging up.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags).expect("a pseudo-terminal can be made");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("the slave side can be opened");
        let device = ptsname_r(&master).expect("it has a name").into();
        Line { master, device, buffer: Vec::new() }
    }

    /// The device that the agent opens.
    pub fn device(&self) -> &Path {
        &self.device
    }

    /// Waits for an agent that has opened the device and taken echo and line editing off it. What is sent earlier comes
    /// back as an echo.
    pub fn until_taken(&self) {
        let end = Instant::now() + PATIENCE;
        let settings = || tcgetattr(&self.master).expect("a master tells the settings of its slave").local_flags;
        while settings().intersects(LocalFlags::ECHO | LocalFlags::ICANON) {
            assert!(Instant::now() < end, "no agent has taken the line after {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Writes bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.master.write_all(bytes).expect("the line takes the bytes");
    }

    /// The next line, with its newline, as it comes.
    pub fn line(&mut self) -> Vec<u8> {
        let end = Instant::now() + PATIENCE;
        let mut searched = 0;
        loop {
            if let Some(at) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                return self.buffer.drain(..=searched + at).collect();
            }
            searched = self.buffer.len();
            assert!(self.has_bytes(end.saturating_duration_since(Instant::now())), "no line after {PATIENCE:?}");
            let mut piece = [0; 65536];
            let count = self.master.read(&mut piece).expect("the agent keeps the line open");
            self.buffer.extend_from_slice(&piece[..count]);
        }
    }

    /// Sends one request and reads one reply, which must be a success.
    pub fn call(&mut self, command: &str, arguments: Value) -> Value {
        self.send(format!("{}\n", json!({ "execute": command, "arguments": arguments })).as_bytes());
        let line = self.line();
        let reply: Value = serde_json::from_slice(&line)
            .unwrap_or_else(|error| panic!("a reply is JSON: {error}: {}", String::from_utf8_lossy(&line)));
        reply.get("return").cloned().unwrap_or_else(|| panic!("expected a return, got {reply}"))
    }

    fn has_bytes(&self, wait: Duration) -> bool {
        let wait = PollTimeout::try_from(wait).expect("it is seconds");
        match poll(&mut [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)], wait) {
            Ok(ready) => ready > 0,
            Err(Errno::EINTR) => true,
            Err(errno) => panic!("cannot wait for the line: {errno}"),
        }
    }
}
