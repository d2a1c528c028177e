//! A throw-away machine, as far as an agent can tell: what it freezes, trims and switches off is not this one.
//!
//! It is a set of namespaces (mounts, processes, network, host name) with a root of its own on tmpfs. The machine's
//! file systems are not mounted in it at all, there is no device to mount them by, and a reboot(2) or a signal from
//! inside ends at its process 1. `sandbox.sh` makes it and says what it holds.

use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What it takes, with the Debian package that has it.
const TOOLS: [(&str, &str); 7] = [
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("setpriv", "util-linux"),
    ("pivot_root", "util-linux"),
    ("busybox", "busybox-static"),
    ("mkfs.ext4", "e2fsprogs"),
    ("mkfs.xfs", "xfsprogs"),
];

/// Powers that reach the whole machine from any namespace, and that no transcript needs.
const DROPPED: [&str; 2] = ["--bounding-set", "-sys_boot,-sys_time,-sys_module,-sys_rawio"];

/// Where `sandbox.sh` looks for programs, and `unshare` for it.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// A sandbox that is ready. Dropping it thaws what is frozen in it and ends everything that runs in it.
#[derive(Debug)]
pub struct Sandbox {
    keeper: Child,
    init: u32,
}

/// Why sandboxes cannot be made here, if so.
pub fn unavailable() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("needs root".to_owned());
    }
    let missing = TOOLS.iter().find(|(tool, _)| !PATH.split(':').any(|folder| Path::new(folder).join(tool).exists()));
    missing.map(|(tool, package)| format!("needs {tool}: install {package}"))
}

impl Sandbox {
    /// Makes one whose root is mounted at the empty folder `root`, for the agent at `agent`, with file systems in it
    /// or without.
    pub fn new(root: &Path, agent: &Path, file_systems: bool) -> Result<Self> {
        let mut keeper = Command::new("setpriv")
            .args(DROPPED)
            .args(["unshare", "--mount", "--pid", "--fork", "--net", "--uts", "sh", "-c", include_str!("sandbox.sh")])
            .args(["sandbox.sh".as_ref(), root, agent])
            .env_clear()
            .env("PATH", PATH)
            .env("FILE_SYSTEMS", if file_systems { "yes" } else { "no" })
            // An interrupt from the terminal must not reach it before it has thawed everything.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run setpriv")?;
        let mut word = String::new();
        let stdout = keeper.stdout.take().context("its output is a pipe")?;
        BufReader::new(stdout).read_line(&mut word).context("cannot hear from the sandbox")?;
        let init = child_of(keeper.id());
        let mut sandbox = Sandbox { keeper, init: 0 };
        ensure!(word == "ready\n", "the sandbox could not be made: see above");
        sandbox.init = init?;
        sandbox.check(sandbox.init)?;
        Ok(sandbox)
    }

    /// A command that will run `program` inside.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(DROPPED).arg("nsenter").arg("--target").arg(self.init.to_string());
        command.args(["--mount", "--pid", "--net", "--uts", "--root", "--wd", program]);
        command.env_clear().env("PATH", "/bin:/sbin").env("LC_ALL", "C");
        // So that the oracle's libudev takes a transcript's /sys for one.
        command.env("SYSTEMD_DEVICE_VERIFY_SYSFS", "0");
        command
    }

    /// Its root, seen from outside.
    pub fn root(&self) -> PathBuf {
        format!("/proc/{}/root", self.init).into()
    }

    /// The process that a command made by [`Sandbox::command`] really runs, once it does; refused unless it is inside.
    pub fn inside(&self, command: &Child) -> Result<u32> {
        let process = child_of(command.id())?;
        self.check(process)?;
        Ok(process)
    }

    /// Fails unless `process` has the sandbox's root and namespaces, and these reach no file system of the machine.
    /// Nothing is sent to an agent before this was asked.
    fn check(&self, process: u32) -> Result<()> {
        let root = |process: &str| std::fs::metadata(format!("/proc/{process}/root/")).map(|it| (it.dev(), it.ino()));
        let (process, init) = (process.to_string(), self.init.to_string());
        ensure!(root(&process)? == root(&init)?, "process {process} has another root than the sandbox");
        ensure!(root(&process)? != root("self")?, "process {process} has the machine's root");
        for kind in ["mnt", "pid", "net", "uts"] {
            let namespace = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/{kind}"));
            ensure!(namespace(&process)? == namespace(&init)?, "process {process} is not in the sandbox ({kind})");
            ensure!(namespace(&process)? != namespace("self")?, "the sandbox shares the machine's namespace ({kind})");
        }
        let table = std::fs::read(format!("/proc/{process}/mountinfo"))?;
        for mount in String::from_utf8_lossy(&table).lines() {
            let device = mount.split(' ').nth(2).unwrap_or_default();
            // 0 is what has no device (tmpfs, proc), 7 the loop driver.
            ensure!(device.starts_with("0:") || device.starts_with("7:"), "the sandbox reaches a real device: {mount}");
        }
        Ok(())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The only child of a process, waited for up to five seconds.
fn child_of(parent: u32) -> Result<u32> {
    for _ in 0..2500 {
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))
            .with_context(|| format!("process {parent} is gone"))?;
        if let Some(child) = children.split_whitespace().next() {
            return child.parse().context("a process id is a number");
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    bail!("process {parent} has started nothing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_test_support::Scratch;
    use std::time::{Duration, Instant};

    /// A sandbox with file systems around a program that is not an agent, or nothing where there can be none.
    fn sandbox() -> Option<(Scratch, Sandbox)> {
        if let Some(why) = unavailable() {
            println!("skipped: {why}");
            return None;
        }
        let scratch = Scratch::new("sandbox");
        let sandbox = Sandbox::new(scratch.path(), Path::new("/bin/true"), true).expect("it can be made");
        Some((scratch, sandbox))
    }

    #[test]
    fn a_process_outside_is_refused() {
        let Some((_scratch, sandbox)) = sandbox() else { return };
        assert!(sandbox.check(std::process::id()).is_err());
        assert!(sandbox.check(1).is_err());
        let mut inside = sandbox.command("/bin/sleep").arg("60").spawn().unwrap();
        let refusal = sandbox.inside(&inside).err();
        drop(sandbox);
        assert!(refusal.is_none(), "{refusal:?}");
        assert!(!inside.wait().unwrap().success(), "it ends with its sandbox");
    }

    #[test]
    fn nothing_stays_frozen() {
        let Some((_scratch, sandbox)) = sandbox() else { return };
        let freeze = "for place in /b /a/sub /a; do fsfreeze --freeze $place || exit 1; done; touch /b/late &";
        let status = sandbox.command("/bin/sh").args(["-c", freeze]).status().unwrap();
        assert!(status.success());
        let mounts = std::fs::read_to_string(format!("/proc/{}/mountinfo", sandbox.init)).unwrap();
        let minors = mounts.lines().filter_map(|line| line.split(' ').nth(2)?.strip_prefix("7:"));
        let images: Vec<String> = minors.map(|minor| format!("/sys/block/loop{minor}/loop/backing_file")).collect();
        let in_use = || {
            let ours = |image: &String| std::fs::read_to_string(image).is_ok_and(|file| file.contains("/images/"));
            images.iter().any(ours)
        };
        assert!(images.len() == 4 && in_use(), "{mounts}");
        drop(sandbox);
        // A frozen file system would keep its loop device for ever.
        let patience = Instant::now() + Duration::from_secs(5);
        while in_use() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!in_use(), "a loop device is still in use");
    }
}
