//! The second VM: a Debian with systemd, hardware worth reporting, and the agent as the service it is shipped as.

use crate::hardware;
use crate::initramfs::Archive;
use crate::machine::Machine;
use crate::parts::{Parts, fetched, skipped};
use crate::{Backdoor, Vm};
use anyhow::Result;
use bulkhead_test_support::{Scratch, agent_under_test, tools};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The serial number of the SCSI disk.
pub const SCSI_SERIAL: &str = "scsi-4711";

/// The disks besides the root's, and their sizes in MiB. The smallest xfs is 300. The files are sparse.
pub(crate) const BLANK_DISKS: [(&str, u64); 3] = [("scsi", 256), ("nvme", 384), ("lvm", 96)];

/// A Debian VM to be started. `vm/system/prepare` lists its disks and networks.
#[derive(Debug)]
pub struct System {
    cpu: String,
    /// The folder that `fetch-system` has made, and the variable that leaves it out.
    root: (&'static str, &'static str),
}

/// The root of the release that this machine has.
const OWN: (&str, &str) = ("system", "BULKHEAD_SKIP_SYSTEM");

/// That of Debian 13.
const TRIXIE: (&str, &str) = ("trixie", "BULKHEAD_SKIP_TRIXIE");

impl System {
    pub(crate) fn new() -> Self {
        System { cpu: "Westmere".to_owned(), root: OWN }
    }

    /// QEMU's processor model, as for [`Builder::cpu`](crate::Builder::cpu).
    #[must_use]
    pub fn cpu(mut self, model: &str) -> Self {
        self.cpu = model.to_owned();
        self
    }

    /// Debian 13 in place of the release that this machine has: without utmp, without hwclock.
    #[must_use]
    pub fn trixie(mut self) -> Self {
        self.root = TRIXIE;
        self
    }

    /// Boots it, waits until its agent has opened its port and nothing starts any more, and prepares its disks and
    /// networks.
    ///
    /// Nothing, with a printed reason, if `BULKHEAD_SKIP_VM` or `BULKHEAD_SKIP_SYSTEM` (for Debian 13 `BULKHEAD_SKIP_TRIXIE`) is
    /// 1; a panic that tells how to
    /// get it if something is missing.
    pub fn start(self) -> Option<Vm> {
        let (parts, image) = find_root(self.root)?;
        let scratch = Scratch::new("system");
        prepare(&parts, &scratch).unwrap_or_else(|error| panic!("the VM cannot be prepared: {error:#}"));

        let mut command = hardware::machine(&parts, &scratch, &self.cpu, "768,slots=2,maxmem=2G");
        hardware(&mut command, &scratch, &image);
        let mut vm = Vm::attach(Machine::run(command, scratch), "bulkhead-agent");
        settle(vm.backdoor());
        Some(vm)
    }
}

/// Waits until nothing starts any more, then prepares disks and networks.
pub(crate) fn settle(backdoor: &mut Backdoor) {
    backdoor.until("who | grep -q alice");
    backdoor.shell("systemctl is-system-running --wait >&2; prepare");
}

/// The parts and the image of the root, or nothing if this VM is to be left out.
pub(crate) fn find() -> Option<(Parts, PathBuf)> {
    find_root(OWN)
}

fn find_root((folder, variable): (&str, &str)) -> Option<(Parts, PathBuf)> {
    if skipped(variable) {
        return None;
    }
    let parts = Parts::find_unless_skipped()?;
    let image = fetched(folder).join("root.img");
    let release = if folder == OWN.0 { "" } else { folder };
    assert!(image.exists(), "the VM has no root yet: run tests/e2e/fetch-system {release} (or set {variable}=1)");
    Some((parts, image))
}

/// How many bytes a disk's file takes up on this machine.
pub(crate) fn disk_usage(file: &Path) -> u64 {
    file.metadata().expect("the disk's file is there").blocks() * 512
}

/// Makes the initramfs and the blank disks.
pub(crate) fn prepare(parts: &Parts, scratch: &Scratch) -> Result<()> {
    fs::write(scratch.join("initramfs"), initramfs(parts)?)?;
    for (name, size) in BLANK_DISKS {
        File::create(scratch.join(name))?.set_len(size << 20)?;
    }
    Ok(())
}

/// Busybox to reach the root with, and `overlay`: the files of this run, which are laid over it.
fn initramfs(parts: &Parts) -> Result<Vec<u8>> {
    const UNITS: &str = "overlay/etc/systemd/system";
    let mut archive = Archive::default();
    for folder in ["proc", "sys", "dev", "system"] {
        archive.directory(folder);
    }
    parts.pack_busybox(&mut archive)?;
    parts.pack_modules(&mut archive)?;
    archive.file("init", 0o755, include_bytes!("../vm/system/init"));

    // As it is shipped, with its own unit and udev rule. The root has the libraries.
    archive.file("overlay/usr/sbin/bulkhead-agent", 0o755, &fs::read(agent_under_test())?);
    archive.file("overlay/usr/sbin/bulkhead", 0o755, &fs::read(tools())?);
    // Under its own name it would allow less than its clients here ask for.
    archive.file("overlay/etc/bulkhead/policy.toml", 0o644, b"version = 1\nprofile = \"full\"\n");
    let settings = b"[general]\naudit-journal=true\naudit-file=/var/log/bulkhead-audit.jsonl\n";
    archive.file("overlay/etc/qemu/qemu-ga.conf", 0o644, settings);
    let unit = include_bytes!("../../../host/dist/bulkhead.service");
    archive.file(&format!("{UNITS}/bulkhead.service"), 0o644, unit);
    let rule = include_bytes!("../../../host/dist/99-bulkhead.rules");
    archive.file("overlay/etc/udev/rules.d/99-bulkhead.rules", 0o644, rule);

    archive.file("overlay/usr/local/sbin/backdoor", 0o755, include_bytes!("../vm/backdoor"));
    archive.file("overlay/usr/local/sbin/prepare", 0o755, include_bytes!("../vm/system/prepare"));
    let unit = include_bytes!("../vm/system/backdoor.service");
    archive.file(&format!("{UNITS}/backdoor.service"), 0o644, unit);
    archive.link(&format!("{UNITS}/sysinit.target.wants/backdoor.service"), "../backdoor.service");
    parts.pack_module_tree(&mut archive, "overlay")?;
    Ok(archive.finish())
}

/// What QEMU gets besides the bare machine. The root's image is left as it is: writes go to a file of QEMU's own.
fn hardware(command: &mut Command, scratch: &Scratch, image: &Path) {
    command.args(["-drive", &format!("id=root,file={},if=none,format=raw,snapshot=on", image.display())]);
    command.args(["-device", "virtio-blk-pci,drive=root,serial=root"]);
    hardware::disk(command, scratch, "lvm", "virtio-blk-pci");
    command.args(["-device", "virtio-scsi-pci,id=scsi"]);
    hardware::disk(command, scratch, "scsi", &format!("scsi-hd,bus=scsi.0,scsi-id=3,lun=1,serial={SCSI_SERIAL}"));
    hardware::disk(command, scratch, "nvme", "nvme,serial=nvme-0815");
    // Pluggable memory, on top of what the machine has: its blocks can be taken offline.
    command.args(["-object", "memory-backend-ram,id=more,size=256M", "-device", "pc-dimm,id=dimm,memdev=more"]);
    for (id, network) in [("first", "net=10.0.2.0/24,ipv6-prefix=fd00:2::"), ("second", "net=10.0.3.0/24,ipv6=off")] {
        command.args(["-netdev", &format!("user,id={id},restrict=on,{network}")]);
        command.args(["-device", &format!("virtio-net-pci,netdev={id}")]);
    }
    hardware::ports(command, scratch, false);
}
