//! A VM in the making: what is in it and the command line of its QEMU.

use crate::Vm;
use crate::initramfs::Archive;
use crate::machine::Machine;
use crate::parts::Parts;
use anyhow::{Context, Result};
use bulkhead_test_support::{Scratch, agent_under_test};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The name of the agent's port, as libvirt and everybody else sets it.
const AGENT_PORT: &str = "org.qemu.guest_agent.0";
const BACKDOOR_PORT: &str = "test.backdoor.0";

/// A VM to be started.
#[derive(Debug)]
pub struct Builder {
    cpu: String,
    serial: bool,
    arguments: String,
    programs: Vec<(String, PathBuf)>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Builder { cpu: "Westmere".to_owned(), serial: false, arguments: String::new(), programs: Vec::new() }
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

    /// Boots it and waits until its agent has opened its port.
    ///
    /// Nothing, with a printed reason, if `BULKHEAD_SKIP_VM` is 1; a panic that names the package if something is not
    /// installed.
    pub fn start(self) -> Option<Vm> {
        if std::env::var("BULKHEAD_SKIP_VM").is_ok_and(|value| value == "1") {
            println!("skipped: BULKHEAD_SKIP_VM is 1");
            return None;
        }
        let parts = Parts::find().unwrap_or_else(|error| panic!("{error:#} (or set BULKHEAD_SKIP_VM=1)"));
        let scratch = Scratch::new("vm");
        self.prepare(&parts, &scratch).unwrap_or_else(|error| panic!("the VM cannot be prepared: {error:#}"));

        let machine = Machine::run(self.command(&parts, &scratch), scratch);
        Some(Vm::attach(machine))
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

        archive.program("bin/busybox", &parts.busybox)?;
        let applets = Command::new(&parts.busybox).arg("--list-full").output().context("busybox cannot be run")?;
        for applet in String::from_utf8(applets.stdout)?.lines().filter(|path| *path != "bin/busybox") {
            archive.link(applet, "/bin/busybox");
        }
        archive.link("init", "/bin/busybox");
        archive.file("etc/inittab", 0o644, include_bytes!("../vm/inittab"));
        archive.file("sbin/boot", 0o755, include_bytes!("../vm/boot"));
        archive.file("sbin/agent-loop", 0o755, include_bytes!("../vm/agent-loop"));
        archive.file("sbin/backdoor", 0o755, include_bytes!("../vm/backdoor"));
        archive.file("sbin/shutdown", 0o755, include_bytes!("../vm/shutdown"));

        archive.program("usr/sbin/qemu-ga", &agent_under_test())?;
        archive.file("etc/agent-arguments", 0o644, self.arguments.as_bytes());
        for (path, source) in &self.programs {
            archive.program(path, source)?;
        }
        let ports = if self.serial { format!("{BACKDOOR_PORT}\n") } else { format!("{BACKDOOR_PORT}\n{AGENT_PORT}\n") };
        archive.file("etc/virtio-ports", 0o644, ports.as_bytes());
        for module in &parts.modules {
            let name = module.file_name().and_then(|name| name.to_str()).context("a module's name is not text")?;
            archive.file(&format!("modules/{name}"), 0o644, &fs::read(module)?);
        }
        Ok(archive.finish())
    }

    fn command(&self, parts: &Parts, scratch: &Scratch) -> Command {
        let file = |name: &str| scratch.join(name).display().to_string();
        let socket = |id: &str| format!("socket,id={id},path={},server=on,wait=off", file(id));
        let disk = |id: &str| format!("id={id},file={},if=none,format=raw,discard=unmap,cache=unsafe", file(id));
        let port = |id: &str, name: &str| format!("virtserialport,id={id}-port,chardev={id},name={name}");

        let mut command = Command::new(&parts.qemu);
        command.args(["-nodefaults", "-no-user-config", "-display", "none", "-accel", "tcg"]);
        command.args(["-cpu", &self.cpu, "-smp", "2", "-m", "512"]);
        command.arg("-kernel").arg(&parts.kernel).args(["-initrd", &file("initramfs")]);
        command.args(["-append", "console=ttyS0 loglevel=4 mitigations=off no_timer_check"]);
        command.args(["-serial", &format!("file:{}", file("console"))]);
        command.args(["-chardev", &socket("monitor"), "-mon", "chardev=monitor,mode=control"]);
        command.args(["-device", "virtio-rng-pci"]);
        for id in ["data", "xfs"] {
            command.args(["-drive", &disk(id), "-device", &format!("virtio-blk-pci,drive={id}")]);
        }
        command.args(["-device", "virtio-serial-pci", "-chardev", &socket("backdoor"), "-chardev", &socket("agent")]);
        command.args(["-device", &port("backdoor", BACKDOOR_PORT)]);
        let agent = if self.serial { "isa-serial,chardev=agent,index=1".to_owned() } else { port("agent", AGENT_PORT) };
        command.args(["-device", &agent]);
        command
    }
}
