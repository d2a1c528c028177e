//! What `lsblk`, sysfs and udev know of the block devices. Each is asked once: a program takes long in an emulated VM.

use bulkhead_e2e::{Lab, SCSI_SERIAL, list, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The block devices of the VM.
pub(crate) struct Devices {
    /// `lsblk`'s tree as a list. A device that stands on two others is there twice.
    rows: Vec<Value>,
    /// `ls -l /sys/block`: where each disk is plugged in.
    paths: String,
    /// udev's whole database.
    udev: String,
    /// The oracle knows a SCSI disk by its unit only; its target is always 0.
    oracle: bool,
}

impl Devices {
    pub(crate) fn look(lab: &mut Lab) -> Self {
        let tree = lab.json("lsblk --json --bytes --output KNAME,NAME,TYPE,PKNAME,HCTL,MAJ:MIN");
        let mut rows = Vec::new();
        flatten(&tree["blockdevices"], &mut rows);
        let paths = lab.vm.shell("ls -l /sys/block");
        let udev = lab.vm.shell("udevadm info --export-db");
        Devices { rows, paths, udev, oracle: lab.vm.runs_oracle() }
    }

    /// The kernel's names of all of them.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.rows.iter().map(|row| text(&row["kname"])).collect()
    }

    /// What `lsblk` says of the device whose column `column` has this value.
    pub(crate) fn row(&self, column: &str, value: &str) -> &Value {
        let row = self.rows.iter().find(|row| row[column] == value);
        row.unwrap_or_else(|| panic!("lsblk has no {column} {value}: {:?}", self.rows))
    }

    /// The devices that this one stands on.
    pub(crate) fn below(&self, name: &str) -> BTreeSet<&str> {
        self.rows.iter().filter(|row| row["kname"] == name).filter_map(|row| row["pkname"].as_str()).collect()
    }

    /// The disks at the bottom of this device: itself, if it is one.
    pub(crate) fn disks(&self, name: &str) -> BTreeSet<&str> {
        let row = self.row("kname", name);
        if row["type"] == "disk" {
            return [text(&row["kname"])].into();
        }
        self.below(name).into_iter().flat_map(|below| self.disks(below)).collect()
    }

    /// Compares an address that the agent gives for the disk `name` with where it is plugged in.
    pub(crate) fn compare(&self, address: &Value, name: &str) {
        // ... sda -> ../devices/pci0000:00/0000:00:05.0/virtio3/host0/...: domain, bus, slot and function.
        let line = self.paths.lines().find(|line| line.contains(&format!(" {name} -> "))).expect("sysfs has the disk");
        let pci = line.split('/').rfind(|part| part.len() == 12 && part.as_bytes()[10] == b'.').expect("a PCI device");
        let field = |range: std::ops::Range<usize>| u64::from_str_radix(&pci[range], 16).unwrap();
        let expected =
            json!({ "domain": field(0..4), "bus": field(5..7), "slot": field(8..10), "function": field(11..12) });
        assert_eq!(address["pci-controller"], expected, "{name}");

        let serial = self.serial(name);
        assert_eq!(address.get("serial").map(text), serial, "{name}");
        let bus = match &name[..2] {
            "sd" => "scsi",
            "vd" => "virtio",
            _ => "nvme",
        };
        assert_eq!(address["bus-type"], bus, "{name}");
        if bus == "scsi" {
            assert!(serial.is_some_and(|serial| serial.ends_with(SCSI_SERIAL)), "{serial:?}");
            // Host, channel, target, unit. The host is only a count of controllers.
            let place: Vec<i64> =
                text(&self.row("kname", name)["hctl"]).split(':').map(|number| number.parse().unwrap()).collect();
            let said = ["bus", "target", "unit"].map(|member| address[member].as_i64().unwrap());
            if !self.oracle {
                assert_eq!(said, place[1..], "{name}");
            }
        }
    }

    fn serial(&self, name: &str) -> Option<&str> {
        let node = format!("\nN: {name}\n");
        let record = self.udev.split("\n\n").find(|record| record.contains(&node)).expect("udev has the disk");
        record.lines().find_map(|line| line.strip_prefix("E: ID_SERIAL="))
    }
}

fn flatten(devices: &Value, rows: &mut Vec<Value>) {
    for device in list(devices) {
        rows.push(device.clone());
        if let Some(children) = device.get("children") {
            flatten(children, rows);
        }
    }
}
