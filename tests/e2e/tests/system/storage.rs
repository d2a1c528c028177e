//! File systems and the disks below them, as `findmnt`, `df`, `lsblk` and udev know them.

use crate::devices::Devices;
use bulkhead_e2e::{Lab, find, list, names, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is mounted from a block device, by its device number: the first mount point of each.
fn mounts(lab: &mut Lab) -> BTreeMap<String, Value> {
    let table = lab.json("findmnt --json --list --real --output TARGET,SOURCE,FSTYPE,MAJ:MIN");
    let mut mounts = BTreeMap::new();
    for mount in list(&table["filesystems"]) {
        if text(&mount["source"]).starts_with("/dev/") {
            mounts.entry(text(&mount["maj:min"]).to_owned()).or_insert_with(|| mount.clone());
        }
    }
    assert_eq!(mounts.len(), 6, "the VM is not as it should be: {table}");
    mounts
}

/// In the oracle's older version a file system that is mounted twice is there twice.
fn without_bind_mount(lab: &Lab, mut file_systems: Value) -> Value {
    if lab.vm.runs_oracle() {
        file_systems.as_array_mut().unwrap().retain(|file_system| file_system["mountpoint"] != "/srv/bound");
    }
    file_systems
}

pub(crate) fn fsinfo(lab: &mut Lab) {
    lab.vm.shell("dd if=/dev/urandom of=/data/lvm/some bs=1M count=5 2>/dev/null; sync");
    let (mounts, devices) = (mounts(lab), Devices::look(lab));
    let reply = lab.call("guest-get-fsinfo", Value::Null);
    let reply = without_bind_mount(lab, reply);
    let sizes = lab.vm.shell("df -B1 --output=target,size,used,avail; rm /data/lvm/some");
    assert_eq!(list(&reply).len(), mounts.len(), "{reply}");

    for (number, mount) in mounts {
        let target = text(&mount["target"]);
        let found = find(&reply, "mountpoint", target);
        assert_eq!(found["type"], mount["fstype"]);
        assert_eq!(found["name"], devices.row("maj:min", &number)["kname"]);

        let row = sizes.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).find(|row| row[0] == target);
        let row = row.unwrap_or_else(|| panic!("df has no {target}: {sizes}"));
        let [size, used, free] = [1, 2, 3].map(|column| row[column].parse::<i64>().unwrap());
        // Something may write to the root in between.
        let close = |member: &Value, truth: i64| {
            let slack = if target == "/" { 4 << 20 } else { 0 };
            let member = member.as_i64().unwrap();
            assert!((member - truth).abs() <= slack, "{target}: {member} instead of {truth}: {found}");
        };
        close(&found["used-bytes"], used);
        close(&found["total-bytes"], used + free);
        if !lab.vm.runs_oracle() {
            close(&found["total-bytes-privileged"], size);
        }
    }
    let volume = find(&reply, "mountpoint", "/data/lvm");
    assert!(volume["used-bytes"].as_i64().unwrap() >= 5 << 20, "{volume}");
}

/// Which disks a file system is on, and where they are plugged in. A loop has none below.
pub(crate) fn fsinfo_disks(lab: &mut Lab) {
    let (mounts, devices) = (mounts(lab), Devices::look(lab));
    let reply = lab.call("guest-get-fsinfo", Value::Null);
    let reply = without_bind_mount(lab, reply);
    for (number, mount) in mounts {
        let found = find(&reply, "mountpoint", text(&mount["target"]));
        let mut expected = devices.disks(text(&devices.row("maj:min", &number)["kname"]));
        for disk in list(&found["disk"]) {
            // The device may be a part of the disk.
            let device = text(&disk["dev"]).strip_prefix("/dev/").unwrap();
            for name in devices.disks(device) {
                assert!(expected.remove(name), "{found} has {name}, but is not on it");
                devices.compare(disk, name);
            }
        }
        assert!(expected.is_empty(), "{found} lacks {expected:?}");
    }
    assert_eq!(list(&find(&reply, "mountpoint", "/data/lvm")["disk"]).len(), 2, "{reply}");
    assert_eq!(list(&find(&reply, "mountpoint", "/data/loop")["disk"]).len(), 0, "{reply}");
}

pub(crate) fn disks(lab: &mut Lab) {
    let reply = lab.call("guest-get-disks", Value::Null);
    let devices = Devices::look(lab);
    let expected = devices.names().into_iter().map(|name| format!("/dev/{name}")).collect();
    assert_eq!(names(&reply, "name"), expected);
    assert_eq!(list(&reply).len(), expected.len(), "each once: {reply}");

    for name in devices.names() {
        let row = devices.row("kname", name);
        let found = find(&reply, "name", &format!("/dev/{name}"));
        assert_eq!(found["partition"], row["type"] == "part", "{name}");

        let dependencies: BTreeSet<&str> = list(&found["dependencies"]).iter().map(text).collect();
        let below: BTreeSet<String> = devices.below(name).iter().map(|below| format!("/dev/{below}")).collect();
        assert_eq!(dependencies, below.iter().map(String::as_str).collect(), "{name}");

        let alias = (row["type"] == "lvm").then(|| text(&row["name"]));
        assert_eq!(found.get("alias").map(text), alias, "{name}");
        if row["type"] == "disk" {
            devices.compare(&found["address"], name);
        }
    }
    smart(lab, find(&reply, "name", "/dev/nvme0n1"));
}

/// The health of the NVMe disk: QEMU tells how warm it claims to be; the rest counts what has happened.
fn smart(lab: &mut Lab, disk: &Value) {
    let smart = &disk["smart"];
    assert_eq!(smart["type"], "nvme", "{disk}");
    // hwmon shows millidegrees Celsius, the disk says Kelvin.
    let degrees = lab.vm.try_shell("cat /sys/block/nvme0n1/device/hwmon*/temp1_input");
    if let (0, degrees) = degrees {
        assert_eq!(smart["temperature"].as_i64().unwrap(), degrees.trim().parse::<i64>().unwrap() / 1000 + 273);
    }
    let before = smart["host-write-commands-lo"].as_i64().unwrap();
    lab.vm.shell("for i in 1 2 3; do dd if=/dev/zero of=/data/nvme/written bs=4k count=1 conv=fsync 2>/dev/null; done");
    let reply = lab.call("guest-get-disks", Value::Null);
    let after = find(&reply, "name", "/dev/nvme0n1")["smart"]["host-write-commands-lo"].as_i64().unwrap();
    assert!(after >= before + 3, "{before} writes, then {after}");
}

/// What is trimmed is given back to the file behind the disk, on the machine outside.
pub(crate) fn trim(lab: &mut Lab) {
    lab.vm.shell("dd if=/dev/urandom of=/data/scsi/waste bs=1M count=16 2>/dev/null; sync");
    let full = lab.vm.disk_usage("scsi");
    lab.vm.shell("rm /data/scsi/waste; sync");
    assert!(lab.vm.disk_usage("scsi") + (1 << 20) > full, "nothing is given back before the trim");

    let reply = lab.call("guest-fstrim", Value::Null);
    let paths = names(&reply["paths"], "path");
    for mount in mounts(lab).values() {
        assert!(paths.contains(text(&mount["target"])), "{paths:?} lacks {mount}");
    }
    let trimmed = find(&reply["paths"], "path", "/data/scsi")["trimmed"].as_u64().unwrap();
    assert!((16 << 20..=96 << 20).contains(&trimmed), "what was freed, and not more than the device has: {reply}");
    let left = lab.vm.disk_usage("scsi");
    assert!(left + (16 << 20) <= full, "{full} bytes before, {left} after");
}
