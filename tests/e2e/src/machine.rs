//! The QEMU process and the folder with its files and sockets.

use bulkhead_test_support::Scratch;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

/// A running QEMU. Ended, and its folder removed, on drop; if a test has failed the console is shown first.
#[derive(Debug)]
pub(crate) struct Machine {
    qemu: Child,
    scratch: Scratch,
}

impl Machine {
    /// Starts the command. `scratch` is where it was told to put its sockets and its console.
    pub(crate) fn run(mut command: Command, scratch: Scratch) -> Self {
        let errors = File::create(scratch.join("qemu-errors")).expect("a file can be made in a fresh folder");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let qemu = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Machine { qemu, scratch }
    }

    /// The path of a file or socket of this VM.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// What came out of the first serial port so far.
    pub(crate) fn console(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("console")).unwrap_or_default()).into_owned()
    }

    /// How QEMU has ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.qemu.try_wait().expect("a child can be waited for")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let errors = fs::read_to_string(self.path("qemu-errors")).unwrap_or_default();
            eprintln!("---- console of the VM ----\n{}\n---- QEMU ----\n{errors}", self.console());
        }
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}
