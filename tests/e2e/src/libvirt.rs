//! libvirt as a client: a daemon of the test's own, in session mode, with the Debian VM as its only domain.

use crate::backdoor::{Backdoor, PATIENCE};
use crate::parts::{Parts, program};
use crate::system;
use anyhow::{Context, Result, ensure};
use bulkhead_test_support::Scratch;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Who runs libvirt if the tests run as root, for whom there is no session: nobody.
const NOBODY: u32 = 65534;

/// A domain of libvirt with an agent in it. It ends with the value, and so does its libvirt.
#[derive(Debug)]
pub struct Libvirt {
    /// A root shell in the VM, behind the agent's back.
    pub backdoor: Backdoor,
    session: Session,
}

impl Libvirt {
    /// Starts the daemon, boots the VM, prepares it, and waits until libvirt sees its agent.
    ///
    /// Nothing, with a printed reason, if VMs are to be left out; a panic that tells how to get it if something is
    /// missing.
    pub fn start() -> Option<Self> {
        let (parts, image) = system::find()?;
        let session = Session::start(&parts, &image).unwrap_or_else(|error| panic!("no libvirt session: {error:#}"));
        session.virsh_when_ready(&["create", &session.path("domain.xml")]);

        let backdoor = Backdoor::connect(&session.scratch.join("backdoor"));
        let mut libvirt = Libvirt { backdoor, session };
        libvirt.backdoor.wait(PATIENCE);
        system::settle(&mut libvirt.backdoor);
        let end = Instant::now() + PATIENCE;
        while !libvirt.virsh(&["dumpxml", "bulkhead"]).contains("name='org.qemu.guest_agent.0' state='connected'") {
            assert!(Instant::now() < end, "libvirt does not see the agent");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(libvirt)
    }

    /// Runs a command of `virsh`, which must succeed, and gives what it prints.
    pub fn virsh(&self, arguments: &[&str]) -> String {
        let (succeeded, text) = self.try_virsh(arguments);
        assert!(succeeded, "virsh {arguments:?}: {text}");
        text
    }

    /// As [`Libvirt::virsh`], for commands that may fail: whether it has succeeded, and what it printed.
    pub fn try_virsh(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.session.virsh(arguments);
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        (output.status.success(), text.trim().to_owned())
    }

    /// How many bytes the file behind a disk takes up on this machine.
    pub fn disk_usage(&self, disk: &str) -> u64 {
        system::disk_usage(&self.session.scratch.join(disk))
    }

    /// What the VM has printed so far.
    pub fn console(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.session.scratch.join("console")).unwrap_or_default()).into_owned()
    }

    /// Puts a text into a file that virsh can read, and gives its path.
    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.session.scratch.join(name);
        fs::write(&path, content).expect("a file can be made");
        path.display().to_string()
    }
}

/// libvirt's daemon in a folder of its own, which is its home and its run-time folder.
#[derive(Debug)]
struct Session {
    daemon: Child,
    virsh: PathBuf,
    scratch: Scratch,
}

impl Session {
    fn start(parts: &Parts, image: &Path) -> Result<Self> {
        let virsh = program("virsh", "libvirt-clients")?;
        let daemon = program("libvirtd", "libvirt-daemon")?;
        let scratch = Scratch::new("libvirt");
        prepare(parts, image, &scratch)?;
        let log = File::create(scratch.join("libvirtd.log"))?;
        let daemon = inside(&daemon, &scratch).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        Ok(Session { daemon, virsh, scratch })
    }

    fn path(&self, name: &str) -> String {
        self.scratch.join(name).display().to_string()
    }

    fn virsh(&self, arguments: &[&str]) -> Output {
        let mut command = inside(&self.virsh, &self.scratch);
        command.args(["--quiet", "--connect", "qemu:///session"]).args(arguments);
        command.output().expect("virsh can be run")
    }

    /// Runs a command once the daemon listens.
    fn virsh_when_ready(&self, arguments: &[&str]) {
        let end = Instant::now() + PATIENCE;
        while !self.virsh(&["uri"]).status.success() {
            assert!(Instant::now() < end, "libvirtd does not listen");
            std::thread::sleep(Duration::from_millis(100));
        }
        let output = self.virsh(arguments);
        assert!(output.status.success(), "virsh {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in ["console", "libvirtd.log"] {
                let bytes = fs::read(self.scratch.join(name)).unwrap_or_default();
                eprintln!("---- {name} ----\n{}", String::from_utf8_lossy(&bytes));
            }
        }
        // A domain outlives its daemon, so it goes first.
        self.virsh(&["destroy", "bulkhead"]);
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// Makes the folder: kernel, initramfs, disks, the domain's description, and everything of the session's own.
fn prepare(parts: &Parts, image: &Path, scratch: &Scratch) -> Result<()> {
    system::prepare(parts, scratch)?;
    fs::copy(&parts.kernel, scratch.join("vmlinuz"))?;
    // The root is written to, so each domain has its own; most of it are holes.
    let copied = Command::new("cp").arg("--sparse=always").args([image, &scratch.join("root")]).status()?;
    ensure!(copied.success(), "the root's image cannot be copied");

    let description = include_str!("../vm/system/domain.xml");
    let description = description.replace("FOLDER", scratch.path().to_str().context("a path is not text")?);
    let description = description.replace("EMULATOR", parts.qemu.to_str().context("a path is not text")?);
    fs::write(scratch.join("domain.xml"), description)?;

    fs::create_dir_all(scratch.join("config/libvirt"))?;
    // No second daemon for the console.
    fs::write(scratch.join("config/libvirt/qemu.conf"), "stdio_handler = \"file\"\n")?;
    fs::create_dir(scratch.join("run"))?;
    if nix::unistd::geteuid().is_root() {
        let all = Command::new("chown").args(["-R", &format!("{NOBODY}:{NOBODY}")]).arg(scratch.path()).status()?;
        ensure!(all.success(), "the folder cannot be given away");
    }
    Ok(())
}

/// A program that sees only this session.
fn inside(program: &Path, scratch: &Scratch) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8");
    command.env("HOME", scratch.path()).env("XDG_RUNTIME_DIR", scratch.join("run"));
    for (variable, folder) in [("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache"), ("XDG_DATA_HOME", "data")] {
        command.env(variable, scratch.join(folder));
    }
    if nix::unistd::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}
