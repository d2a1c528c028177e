//! `guest-get-disks`: the VM's disks and partitions, with or without a file system.

use crate::address::address;
use crate::bindings::bulkhead::agent::disks::nvme_health;
use crate::bindings::bulkhead::agent::system_files;
use crate::schema::{GuestDiskBusType, GuestDiskInfo, GuestDiskSmart, GuestGetDisksArguments};
use crate::sysfs::{Device, Kernel, Source};
use crate::{nvme, stream};
use bulkhead_module::{CommandError, Tail};

const FOLDER: &str = "/sys/block";

/// Lists them as qemu-ga does: in the reverse of the kernel's order, so that partitions stand before their disk.
pub fn disks(_: GuestGetDisksArguments) -> Result<Tail, CommandError> {
    let names = system_files::entries(FOLDER.as_bytes())
        .map_err(|code| CommandError::generic(format!("Can't open directory \"{FOLDER}\": {}", code.text())))?;
    let mut disks = found(&Kernel, &names);
    disks.reverse();
    let health = |name: &[u8]| nvme_health(name).ok();
    Ok(stream::list(disks.iter().filter_map(|disk| disk.tell(&Kernel, health))))
}

/// A disk, or a partition with the device node of its disk.
struct Disk {
    device: Device,
    whole: Option<String>,
}

/// Each disk, and behind it its partitions. A disk of size zero is a drive without a medium, or a loop that is not used.
fn found(source: &impl Source, names: &[Vec<u8>]) -> Vec<Disk> {
    let mut all = Vec::new();
    for name in names {
        let Some(device) = Device::at(source, &[FOLDER.as_bytes(), b"/", name].concat()) else { continue };
        let Some(node) = device.node().filter(|_| device.size(source) > 0) else { continue };
        let partitions = device.partitions(source);
        all.push(Disk { device, whole: None });
        all.extend(partitions.into_iter().map(|device| Disk { device, whole: Some(node.clone()) }));
    }
    all
}

impl Disk {
    fn tell(&self, source: &impl Source, health: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<GuestDiskInfo> {
        let (name, device) = (self.device.node()?, &self.device);
        if let Some(whole) = &self.whole {
            return Some(GuestDiskInfo {
                name,
                partition: true,
                dependencies: Some(vec![whole.clone()]),
                address: None,
                alias: None,
                smart: None,
            });
        }
        let address = (!device.is_virtual()).then(|| address(source, device));
        let is_nvme = address.as_ref().is_some_and(|address| matches!(address.bus_type, GuestDiskBusType::Nvme));
        let log = if is_nvme { health(device.name()) } else { None };
        let below = device.slaves(source);
        Some(GuestDiskInfo {
            name,
            partition: false,
            dependencies: Some(below.iter().rev().filter_map(Device::node).collect()),
            address,
            alias: device.mapper_name(source).or_else(|| device.property(source, "DM_NAME")),
            smart: log.and_then(|log| nvme::health(&log)).map(GuestDiskSmart::Nvme),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::system;

    const VDA: &str = "/sys/devices/pci0000:00/0000:00:05.0/virtio0/block/vda";
    const NVME: &str = "/sys/devices/pci0000:00/0000:00:0a.0/nvme/nvme0/nvme0n1";
    const VOLUME: &str = "/sys/devices/virtual/block/dm-0";

    fn machine() -> Machine {
        let machine = Machine::new();
        machine.driver("/sys/devices/pci0000:00/0000:00:05.0", "virtio-pci");
        machine.driver("/sys/devices/pci0000:00/0000:00:0a.0", "nvme");
        machine.disk(VDA, "254:0");
        machine.partition(VDA, "vda1", "254:1");
        machine.partition(VDA, "vda2", "254:2");
        machine.disk(NVME, "259:0");
        machine.disk(VOLUME, "253:0");
        machine.file(&format!("{VOLUME}/dm/name"), "vg0-data\n");
        machine.slave(VOLUME, NVME);
        machine.slave(VOLUME, &format!("{VDA}/vda2"));
        machine
    }

    fn told(machine: &Machine) -> Vec<GuestDiskInfo> {
        let health = |name: &[u8]| (name == b"nvme0n1").then(|| vec![7; 512]);
        let names = machine.entries(FOLDER.as_bytes());
        let told = || found(machine, &names).iter().filter_map(|disk| disk.tell(machine, health)).collect::<Vec<_>>();
        system::assert_fits("guest-get-disks", told());
        told()
    }

    fn find<'a>(all: &'a [GuestDiskInfo], name: &str) -> &'a GuestDiskInfo {
        all.iter().find(|disk| disk.name == name).unwrap()
    }

    #[test]
    fn partitions_follow_their_disk() {
        let names: Vec<_> = told(&machine()).into_iter().map(|disk| (disk.name, disk.partition)).collect();
        let expected = ["/dev/dm-0", "/dev/nvme0n1", "/dev/vda", "/dev/vda1", "/dev/vda2"];
        assert_eq!(names, expected.map(|name| (name.to_owned(), name.starts_with("/dev/vda") && name.len() > 8)));
    }

    #[test]
    fn dependencies_are_the_disk_or_the_parts() {
        let all = told(&machine());
        let of = |name: &str| find(&all, name).dependencies.clone().unwrap();
        assert_eq!(of("/dev/vda"), [""; 0]);
        assert_eq!(of("/dev/vda2"), ["/dev/vda"]);
        assert_eq!(of("/dev/dm-0"), ["/dev/vda2", "/dev/nvme0n1"]);
    }

    #[test]
    fn only_what_is_plugged_in_has_an_address() {
        let all = told(&machine());
        let slot = |name: &str| find(&all, name).address.as_ref().map(|address| address.pci_controller.slot);
        assert_eq!((slot("/dev/vda"), slot("/dev/nvme0n1")), (Some(5), Some(10)));
        assert_eq!((slot("/dev/vda1"), slot("/dev/dm-0")), (None, None));
    }

    #[test]
    fn a_volume_has_a_name_of_its_own() {
        let machine = machine();
        let alias = || find(&told(&machine), "/dev/dm-0").alias.clone();
        assert_eq!(alias().as_deref(), Some("vg0-data"));
        machine.file("/run/udev/data/b253:0", "E:DM_NAME=vg0-other\n");
        machine.file(&format!("{VOLUME}/dm/name"), "\n");
        assert_eq!(alias().as_deref(), Some("vg0-other"));
        assert_eq!(find(&told(&machine), "/dev/vda").alias, None);
    }

    #[test]
    fn only_nvme_disks_are_asked_for_their_health() {
        let all = told(&machine());
        for disk in &all {
            let temperature = disk.smart.as_ref().map(|smart| match smart {
                GuestDiskSmart::Nvme(health) => health.temperature,
                other => panic!("{other:?}"),
            });
            assert_eq!(temperature, (disk.name == "/dev/nvme0n1").then_some(0x0707), "{}", disk.name);
        }
    }

    #[test]
    fn what_has_no_size_or_no_node_is_left_out() {
        let machine = machine();
        machine.file(&format!("{VDA}/size"), "0\n");
        machine.file(&format!("{NVME}/uevent"), "DEVTYPE=disk\n");
        machine.link("/sys/block/gone", "nowhere");
        let names: Vec<_> = told(&machine).into_iter().map(|disk| disk.name).collect();
        assert_eq!(names, ["/dev/dm-0"]);
        assert_eq!(told(&Machine::new()).len(), 0);
    }
}
