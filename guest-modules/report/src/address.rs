//! Where a disk is plugged in, as its folder below /sys/devices says: the folders on the way to it are the buses and
//! controllers between it and the machine.

use crate::figures;
use crate::nvme_subsystem;
use crate::schema::{GuestCCWAddress, GuestDiskAddress, GuestDiskBusType, GuestPCIAddress};
use crate::sysfs::{Device, Source};

/// The address of a disk, or of a partition as if it were one. What is not known is -1 or, for the place on a bus, 0.
pub fn address(source: &impl Source, device: &Device) -> GuestDiskAddress {
    let path = Path::of(&device.folder);
    // A namespace of NVMe that several paths may lead to is nobody's; its controllers are somewhere.
    let controller = nvme_subsystem::controller(source, device);
    let behind = controller.as_ref().and_then(|folder| Path::of(folder).on_pci(source));
    let place = behind.or_else(|| path.on_pci(source)).unwrap_or_else(|| path.elsewhere());
    GuestDiskAddress {
        pci_controller: place.pci,
        bus_type: place.bus_type,
        bus: place.bus,
        target: place.target,
        unit: place.unit,
        serial: device.property(source, "ID_SERIAL"),
        dev: device.node(),
        ccw_address: path.ccw(),
    }
}

struct Place {
    pci: GuestPCIAddress,
    bus_type: GuestDiskBusType,
    bus: i64,
    target: i64,
    unit: i64,
}

impl Place {
    fn new(pci: GuestPCIAddress, bus_type: GuestDiskBusType, [bus, target, unit]: [i64; 3]) -> Self {
        Place { pci, bus_type, bus, target, unit }
    }
}

/// `/sys/devices/pci0000:00/0000:00:08.0/virtio3/host8/target8:0:3/8:0:3:1/block/sda`, taken apart.
struct Path<'a> {
    names: Vec<&'a str>,
}

impl<'a> Path<'a> {
    /// The kernel names devices in ASCII; anything else has no address.
    fn of(folder: &'a [u8]) -> Self {
        let folder = str::from_utf8(folder).unwrap_or_default();
        Path { names: folder.split('/').collect() }
    }

    /// Below the nearest PCI device whose driver is known. Between it and the machine are only bridges.
    fn on_pci(&self, source: &impl Source) -> Option<Place> {
        let mut functions = self.names.iter().enumerate().rev().filter_map(|(index, name)| Some((index, pci(name)?)));
        functions.find_map(|(index, pci)| self.below(source, index, pci))
    }

    fn below(&self, source: &impl Source, index: usize, pci: GuestPCIAddress) -> Option<Place> {
        use GuestDiskBusType::{Ide, Nvme, Sata, Scsi, Usb, Virtio};
        let controller = self.names[..=index].join("/");
        let driver = source.resolve(format!("{controller}/driver").as_bytes())?;
        let driver = driver.rsplit(|byte| *byte == b'/').next()?;
        let scsi = self.scsi();
        let (bus_type, place) = match driver {
            b"virtio-pci" => match scsi {
                Some(place) => (Scsi, place),
                None => (Virtio, [0; 3]),
            },
            // Two channels, two disks on each.
            b"ata_piix" => (Ide, [self.port(source, &controller, index)?, 0, scsi?[1]]),
            // As many ports as disks.
            b"ahci" => (Sata, [0, 0, self.port(source, &controller, index)?]),
            // libvirt calls the disk's number on this bus its unit, and has no targets.
            b"sym53c8xx" => (Scsi, [0, 0, scsi?[1]]),
            b"nvme" => (Nvme, [0; 3]),
            b"xhci_hcd" | b"ehci-pci" | b"uhci_hcd" | b"ohci-pci" => (Usb, [0; 3]),
            _ => return None,
        };
        Some(Place::new(pci, bus_type, place))
    }

    /// Not on PCI, or behind a controller of another kind.
    fn elsewhere(&self) -> Place {
        let none = GuestPCIAddress { domain: -1, bus: -1, slot: -1, function: -1 };
        if nvme_subsystem::is_namespace(self.names.last().copied().unwrap_or_default()) {
            // By a network, or of a controller that is a part of the processor.
            return Place::new(none, GuestDiskBusType::Nvme, [0; 3]);
        }
        let virtio = self.names.iter().any(|name| number(name, "virtio").is_some());
        let on_pci = self.names.iter().any(|name| pci(name).is_some());
        match self.scsi() {
            _ if !virtio || on_pci => Place::new(none, GuestDiskBusType::Unknown, [0; 3]),
            Some(place) => Place::new(none, GuestDiskBusType::Scsi, place),
            None => Place::new(none, GuestDiskBusType::Virtio, [0; 3]),
        }
    }

    /// Channel, target and unit, from `8:0:3:1` in the folder of a SCSI target. The first number counts the controllers.
    fn scsi(&self) -> Option<[i64; 3]> {
        let target = self.names.iter().position(|name| name.starts_with("target"))?;
        let mut numbers = self.names.get(target + 1)?.split(':').skip(1).map(|number| number.parse().ok());
        let [channel, target, unit] = [numbers.next()??, numbers.next()??, numbers.next()??];
        Some([channel, target, flat(unit)])
    }

    /// Which of a controller's ports it is plugged into. All ports of the machine are counted together, so that the first of
    /// this controller tells where to begin.
    fn port(&self, source: &impl Source, controller: &str, index: usize) -> Option<i64> {
        let own = self.names.get(index + 1)?;
        let kind = ["ata", "host"].into_iter().find(|kind| number(own, kind).is_some())?;
        let siblings = source.entries(controller.as_bytes());
        let ports = siblings.iter().filter_map(|name| number(str::from_utf8(name).ok()?, kind));
        let own = number(own, kind)?;
        i64::try_from(ports.filter(|port| *port < own).count()).ok()
    }

    /// On the channels of s390x: `/css0/0.1.0003/0.1.00a2/virtio4/...`, the subchannel and then the device.
    fn ccw(&self) -> Option<GuestCCWAddress> {
        let css = self.names.iter().position(|name| number(name, "css").is_some())?;
        let [cssid, ssid, subchno] = bus_id(self.names.get(css + 1)?)?;
        let [_, _, devno] = bus_id(self.names.get(css + 2)?)?;
        Some(GuestCCWAddress { cssid, ssid, subchno, devno })
    }
}

/// Units of 256 and above are numbered in another form, which Linux shows as it is (SAM-5, flat space addressing).
fn flat(unit: i64) -> i64 {
    if unit >> 14 == 1 { unit & 0x3FFF } else { unit }
}

/// `0000:00:1f.2`: domain, bus, slot and function.
fn pci(name: &str) -> Option<GuestPCIAddress> {
    let (rest, function) = name.split_once('.')?;
    let mut numbers = rest.split(':').map(hexadecimal);
    let address = GuestPCIAddress {
        domain: numbers.next()??,
        bus: numbers.next()??,
        slot: numbers.next()??,
        function: hexadecimal(function)?,
    };
    numbers.next().is_none().then_some(address)
}

/// `0.1.0003`
fn bus_id(name: &str) -> Option<[i64; 3]> {
    let mut numbers = name.split('.').map(hexadecimal);
    let id = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(id)
}

/// The number of `ata3`.
fn number(name: &str, kind: &str) -> Option<u64> {
    figures::figure(name.strip_prefix(kind)?)
}

fn hexadecimal(digits: &str) -> Option<i64> {
    figures::hexadecimal(digits).map(i64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use bulkhead_module::IntoReturn;

    /// Bus type, bus, target and unit, and the controller: `domain:bus:slot.function` in decimal, or nothing.
    fn told(machine: &Machine, folder: &str) -> (String, [i64; 3], Option<String>) {
        machine.disk(folder, "8:0");
        let it = address(machine, &Device::numbered(machine, (8, 0)).unwrap());
        let GuestPCIAddress { domain, bus, slot, function } = it.pci_controller;
        let pci = format!("{domain}:{bus}:{slot}.{function}");
        let bus_type = it.bus_type.into_return().trim_matches('"').to_owned();
        (bus_type, [it.bus, it.target, it.unit], (pci != "-1:-1:-1.-1").then_some(pci))
    }

    /// With a driver for the device in the folder `controller`, of the disk below it.
    #[track_caller]
    fn check(controller: &str, driver: &str, disk: &str, bus_type: &str, place: [i64; 3], pci: Option<&str>) {
        let machine = Machine::new();
        machine.driver(controller, driver);
        let told = told(&machine, &format!("{controller}/{disk}"));
        assert_eq!(told, (bus_type.to_owned(), place, pci.map(str::to_owned)));
    }

    const PCI: &str = "/sys/devices/pci0000:00/0000:00:1f.2";

    #[test]
    fn a_virtio_disk_is_a_pci_device() {
        check(PCI, "virtio-pci", "virtio0/block/vda", "virtio", [0; 3], Some("0:0:31.2"));
        let behind_a_bridge = "/sys/devices/pci0001:00/0001:00:06.0/0001:01:03.0";
        check(behind_a_bridge, "virtio-pci", "virtio4/block/vdd", "virtio", [0; 3], Some("1:1:3.0"));
        let in_a_device_tree = "/sys/devices/platform/4010000000.pcie/pci0000:00/0000:00:02.0";
        check(in_a_device_tree, "virtio-pci", "virtio3/block/vda", "virtio", [0; 3], Some("0:0:2.0"));
    }

    #[test]
    fn a_scsi_disk_has_channel_target_and_unit() {
        let check = |disk, place| check(PCI, "virtio-pci", disk, "scsi", place, Some("0:0:31.2"));
        check("virtio3/host8/target8:0:3/8:0:3:1/block/sda", [0, 3, 1]);
        check("virtio3/host6/target6:1:4/6:1:4:9/block/sdb", [1, 4, 9]);
        check("virtio3/host8/target8:0:7/8:0:7:16684/block/sdg", [0, 7, 300]);
    }

    #[test]
    fn other_controllers_have_their_own_way_of_counting() {
        let check = |driver, disk, bus_type, place| check(PCI, driver, disk, bus_type, place, Some("0:0:31.2"));
        check("sym53c8xx", "host9/target9:0:4/9:0:4:0/block/sdh", "scsi", [0, 0, 4]);
        check("nvme", "nvme/nvme1/nvme1n2", "nvme", [0; 3]);
        check("xhci_hcd", "usb2/2-1/2-1:1.0/host8/target8:0:0/8:0:0:0/block/sdc", "usb", [0; 3]);
    }

    #[test]
    fn ports_are_counted_within_their_controller() {
        let machine = Machine::new();
        machine.driver(PCI, "ahci");
        for port in [9, 10, 11, 12] {
            machine.file(&format!("{PCI}/ata{port}/uevent"), "");
        }
        let (bus_type, place, _) = told(&machine, &format!("{PCI}/ata11/host10/target10:0:0/10:0:0:0/block/sdh"));
        assert_eq!((bus_type.as_str(), place), ("sata", [0, 0, 2]));

        let machine = Machine::new();
        machine.driver(PCI, "ata_piix");
        machine.file(&format!("{PCI}/ata1/uevent"), "");
        let (bus_type, place, _) = told(&machine, &format!("{PCI}/ata2/host1/target1:0:1/1:0:1:0/block/sda"));
        assert_eq!((bus_type.as_str(), place), ("ide", [1, 0, 1]));
    }

    #[test]
    fn the_nearest_controller_that_is_known_counts() {
        let machine = Machine::new();
        let hub = "/sys/devices/pci0000:00/0000:00:0e.0";
        let disk = format!("{hub}/pci10000:e0/10000:e0:1d.0/10000:e1:00.0");
        machine.driver(hub, "vmd");
        machine.driver(&disk, "nvme");
        let expected = ("nvme".to_owned(), [0; 3], Some("65536:225:0.0".to_owned()));
        assert_eq!(told(&machine, &format!("{disk}/nvme/nvme0/nvme0n1")), expected);
    }

    #[test]
    fn without_a_known_controller_the_address_is_unknown() {
        check(PCI, "megaraid_sas", "host12/target12:2:1/12:2:1:0/block/sdj", "unknown", [0; 3], None);
        check(PCI, "sym53c8xx", "host12/block/sdj", "unknown", [0; 3], None);
        check("/sys/devices/platform/floppy.0", "floppy", "block/fd0", "unknown", [0; 3], None);
        let machine = Machine::new();
        for folder in [
            &format!("{PCI}/virtio9/block/vdf"),
            "/sys/devices/platform/host2/session1/target2:0:0/2:0:0:1/block/sdb",
            "/sys/devices/vbd-51712/block/xvda",
        ] {
            assert_eq!(told(&machine, folder), ("unknown".to_owned(), [0; 3], None), "{folder}");
        }
    }

    #[test]
    fn a_namespace_with_several_paths_is_where_its_controllers_are() {
        let machine = Machine::new();
        let head = "/sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n1";
        assert_eq!(told(&machine, head), ("nvme".to_owned(), [0; 3], None), "its paths are gone");
        for (controller, slot) in [("nvme10", "04"), ("nvme2", "03"), ("nvme1", "02")] {
            let pci = format!("/sys/devices/pci0000:00/0000:00:{slot}.0");
            machine.driver(&pci, "nvme");
            machine.file(&format!("{pci}/nvme/{controller}/uevent"), "");
            let link = format!("/sys/devices/virtual/nvme-subsystem/nvme-subsys1/{controller}");
            machine.link(&link, &format!("../../../../..{pci}/nvme/{controller}"));
        }
        let at = |slot: &str| ("nvme".to_owned(), [0; 3], Some(format!("0:0:{slot}.0")));
        assert_eq!(told(&machine, head), at("2"), "the first controller");
        machine.file("/sys/devices/pci0000:00/0000:00:04.0/nvme/nvme10/nvme1c10n1/uevent", "DEVTYPE=disk\n");
        machine.file("/sys/devices/pci0000:00/0000:00:03.0/nvme/nvme2/nvme1c2n1/uevent", "DEVTYPE=disk\n");
        machine.file("/sys/devices/pci0000:00/0000:00:02.0/nvme/nvme1/nvme1c1n2/uevent", "DEVTYPE=disk\n");
        assert_eq!(told(&machine, head), at("3"), "the first that has a path to it");
        machine.partition(head, "nvme1n1p1", "259:1");
        let part = address(&machine, &Device::numbered(&machine, (259, 1)).unwrap());
        assert_eq!((part.pci_controller.slot, part.dev.as_deref()), (3, Some("/dev/nvme1n1p1")));
    }

    #[test]
    fn nvme_need_not_be_on_pci() {
        check("/sys/devices/virtual/nvme-fabrics/ctl", "none", "nvme0/nvme0n1", "nvme", [0; 3], None);
        check("/sys/devices/platform/soc/27bcc0000.nvme", "none", "nvme/nvme0/nvme0n1", "nvme", [0; 3], None);
    }

    #[test]
    fn virtio_need_not_be_on_pci() {
        let mmio = "/sys/devices/platform/a003e00.virtio_mmio";
        check(mmio, "virtio-mmio", "virtio0/block/vda", "virtio", [0; 3], None);
        check(mmio, "virtio-mmio", "virtio1/host0/target0:2:3/0:2:3:1/block/sda", "scsi", [2, 3, 1], None);
    }

    #[test]
    fn channels_of_s390x_have_numbers_of_their_own() {
        let machine = Machine::new();
        machine.disk("/sys/devices/css0/3.1.0013/0.2.00a2/virtio4/block/vdc", "8:0");
        let it = address(&machine, &Device::numbered(&machine, (8, 0)).unwrap());
        let ccw = it.ccw_address.map(|ccw| [ccw.cssid, ccw.ssid, ccw.subchno, ccw.devno]);
        assert_eq!((ccw, it.bus_type.into_return().as_str()), (Some([3, 1, 0x13, 0xA2]), "\"virtio\""));
        machine.disk("/sys/devices/cssx/0.1.0013/0.2.00a2/block/vdd", "8:1");
        assert!(address(&machine, &Device::numbered(&machine, (8, 1)).unwrap()).ccw_address.is_none());
    }

    #[test]
    fn a_partition_has_the_address_of_its_disk_and_its_own_node() {
        let machine = Machine::new();
        machine.driver(PCI, "virtio-pci");
        let disk = format!("{PCI}/virtio0/block/vda");
        machine.disk(&disk, "8:0");
        machine.partition(&disk, "vda1", "8:1");
        machine.file("/run/udev/data/b8:1", "E:ID_SERIAL=s-1\n");
        let it = address(&machine, &Device::numbered(&machine, (8, 1)).unwrap());
        assert_eq!((it.dev.as_deref(), it.serial.as_deref()), (Some("/dev/vda1"), Some("s-1")));
        assert_eq!((it.pci_controller.slot, it.bus_type.into_return().as_str()), (31, "\"virtio\""));
    }

    #[test]
    fn hostile_folders_have_an_address_too() {
        let valid = b"/sys/devices/css0/0.0.1/0.0.2/pci0000:00/0000:00:1f.2/ata2/host1/target1:0:1/1:0:1:0/block/sda";
        for mut folder in crate::system::hostile(valid) {
            folder.retain(|byte| *byte != 0);
            let path = Path::of(&folder);
            let place = path.elsewhere();
            assert!(place.bus >= 0 && place.unit >= 0 && place.pci.bus == -1);
            assert!(path.ccw().is_none_or(|ccw| ccw.devno <= u32::MAX.into()));
            assert!(path.names.iter().filter_map(|name| pci(name)).all(|pci| pci.domain >= 0));
        }
    }
}
