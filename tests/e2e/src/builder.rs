//! A VM in the making: what is in it and the command line of its QEMU.

use crate::Vm;
use crate::hardware::{self, AGENT_PORT, BACKDOOR_PORT};
use crate::initramfs::Archive;
use crate::machine::Machine;
use crate::parts::Parts;
use anyhow::Result;
use bulkhead_test_support::{Scratch, agent_under_test, tools};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A VM to be started.
#[derive(Debug)]
pub struct Builder {
    cpu: String,
    serial: bool,
    grows: bool,
    arguments: String,
    programs: Vec<(String, PathBuf)>,
    files: Vec<(String, Vec<u8>)>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Builder {
            cpu: "Westmere".to_owned(),
            serial: false,
            grows: false,
            arguments: String::new(),
            programs: Vec::new(),
            files: Vec::new(),
        }
    }

    /// QEMU's processor model. `Westmere` (the default) is x86-64-v2; `qemu64` has nothing beyond SSE3.
    #[must_use]
    pub fn cpu(mut self, model: &str) -> Self {
        self.cpu = model.to_owned();
        self
    }

    /// Gives the VM a second serial port (/dev/ttyS1) for the agent, in place of the virtio-serial port.
    #[must_use]
    pub fn isa_serial(mut self) -> Self {
        self.serial = true;
        self.arguments("-m isa-serial -p /dev/ttyS1")
    }

    /// Leaves room for two more processors and 512 MiB more memory.
    #[must_use]
    pub fn grows(mut self) -> Self {
        self.grows = true;
        self
    }

    /// Command line arguments for the agent, separated by spaces. None unless set.
    #[must_use]
    pub fn arguments(mut self, arguments: &str) -> Self {
        self.arguments = arguments.to_owned();
        self
    }

    /// Puts a program of this machine into the VM as `/bin/NAME`, with the libraries it needs.
    #[must_use]
    pub fn program(mut self, name: &str, source: &Path) -> Self {
        self.programs.push((format!("bin/{name}"), source.to_owned()));
        self
    }

    /// Puts a file into the VM, which root owns and may write. `path` is absolute.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.trim_start_matches('/').to_owned(), content.into()));
        self
    }

    /// Puts the compiler of modules into the VM, so that the owner can install some. A panic that names the recipe if it was not
    /// built.
    #[must_use]
    pub fn compiler(mut self) -> Self {
        let compiler = agent_under_test().with_file_name("bulkhead-compile");
        assert!(compiler.is_file(), "{} is not there: make modules", compiler.display());
        self.programs.push(("usr/libexec/bulkhead/bulkhead-compile".to_owned(), compiler));
        self
    }

    /// Boots it and waits until its agent has opened its port.
    ///
    /// Nothing, with a printed reason, if `BULKHEAD_SKIP_VM` is 1; a panic that names the package if something is not
    /// installed.
    pub fn start(self) -> Option<Vm> {
        let parts = Parts::find_unless_skipped()?;
        let scratch = Scratch::new("vm");
        self.prepare(&parts, &scratch).unwrap_or_else(|error| panic!("the VM cannot be prepared: {error:#}"));

        let machine = Machine::run(self.command(&parts, &scratch), scratch);
        Some(Vm::attach(machine, "qemu-ga"))
    }

    /// Makes the initramfs and two disks with file systems that can be frozen and trimmed.
    fn prepare(&self, parts: &Parts, scratch: &Scratch) -> Result<()> {
        fs::write(scratch.join("initramfs"), self.initramfs(parts)?)?;
        // The smallest xfs is 300 MiB; both files are sparse.
        for (name, mkfs, size) in [("data", &parts.mkfs_ext4, 64), ("xfs", &parts.mkfs_xfs, 320)] {
            let disk = scratch.join(name);
            File::create(&disk)?.set_len(size << 20)?;
            let output = Command::new(mkfs).arg("-q").arg(&disk).output()?;
            anyhow::ensure!(output.status.success(), "{}: {}", mkfs.display(), String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    fn initramfs(&self, parts: &Parts) -> Result<Vec<u8>> {
        let mut archive = Archive::default();
        for folder in ["proc", "sys", "dev", "run", "tmp", "data", "xfs", "bind", "var"] {
            archive.directory(folder);
        }
        archive.link("var/run", "/run");

        parts.pack_busybox(&mut archive)?;
        archive.link("init", "/bin/busybox");
        archive.file("etc/inittab", 0o644, include_bytes!("../vm/inittab"));
        archive.file("sbin/boot", 0o755, include_bytes!("../vm/boot"));
        archive.file("sbin/agent-loop", 0o755, include_bytes!("../vm/agent-loop"));
        archive.file("sbin/backdoor", 0o755, include_bytes!("../vm/backdoor"));
        archive.file("sbin/shutdown", 0o755, include_bytes!("../vm/shutdown"));

        archive.program("usr/sbin/qemu-ga", &agent_under_test())?;
        archive.program("usr/sbin/bulkhead", &tools())?;
        archive.file("etc/agent-arguments", 0o644, self.arguments.as_bytes());
        for (path, source) in &self.programs {
            archive.program(path, source)?;
        }
        for (path, content) in &self.files {
            archive.file(path, 0o644, content);
        }
        let ports = if self.serial { format!("{BACKDOOR_PORT}\n") } else { format!("{BACKDOOR_PORT}\n{AGENT_PORT}\n") };
        archive.file("etc/virtio-ports", 0o644, ports.as_bytes());
        parts.pack_modules(&mut archive)?;
        Ok(archive.finish())
    }

    fn command(&self, parts: &Parts, scratch: &Scratch) -> Command {
        let memory = if self.grows { "512,slots=1,maxmem=1G" } else { "512" };
        let mut command = hardware::machine(parts, scratch, &self.cpu, memory);
        if self.grows {
            command.args(["-smp", "2,maxcpus=4"]);
        }
        hardware::disk(&mut command, scratch, "data", "virtio-blk-pci");
        hardware::disk(&mut command, scratch, "xfs", "virtio-blk-pci");
        hardware::ports(&mut command, scratch, self.serial);
        command
    }
}
