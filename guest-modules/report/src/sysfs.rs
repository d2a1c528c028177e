//! Block devices as /sys shows them, sysfs(5).
//!
//! Devices come and go while they are looked at, so whatever cannot be read is taken for not there.

use crate::bindings::bulkhead::agent::system_files;
use crate::figures::figure;
use crate::system;
use crate::udev;

/// Where files and links of the kernel, and udev's records, are read.
pub trait Source {
    /// The bytes of a file.
    fn read(&self, path: &[u8]) -> Option<Vec<u8>>;
    /// The names in a folder, in the kernel's order.
    fn entries(&self, path: &[u8]) -> Vec<Vec<u8>>;
    /// Where a link leads in the end.
    fn resolve(&self, path: &[u8]) -> Option<Vec<u8>>;
}

/// The VM itself.
#[derive(Clone, Copy, Debug)]
pub struct Kernel;

impl Source for Kernel {
    fn read(&self, path: &[u8]) -> Option<Vec<u8>> {
        system_files::read(path).ok()
    }

    fn entries(&self, path: &[u8]) -> Vec<Vec<u8>> {
        system_files::entries(path).unwrap_or_default()
    }

    fn resolve(&self, path: &[u8]) -> Option<Vec<u8>> {
        system_files::resolve(path).ok()
    }
}

/// A disk, a part of one, or something that is made of disks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its folder below /sys/devices: where it is plugged in.
    pub folder: Vec<u8>,
    /// What the kernel tells udev of it.
    uevent: Vec<u8>,
}

impl Device {
    /// The device to which a link leads.
    pub fn at(source: &impl Source, link: &[u8]) -> Option<Self> {
        Self::in_folder(source, source.resolve(link)?)
    }

    fn in_folder(source: &impl Source, folder: Vec<u8>) -> Option<Self> {
        let uevent = source.read(&[&folder, b"/uevent".as_slice()].concat())?;
        Some(Device { folder, uevent })
    }

    /// The device with this number.
    pub fn numbered(source: &impl Source, (major, minor): (u32, u32)) -> Option<Self> {
        Self::at(source, format!("/sys/dev/block/{major}:{minor}").as_bytes())
    }

    /// What the kernel calls it.
    pub fn name(&self) -> &[u8] {
        self.folder.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// Its device node; paths of a disk that is reached by several have none.
    pub fn node(&self) -> Option<String> {
        Some(format!("/dev/{}", system::text(self.uevent("DEVNAME")?)))
    }

    /// Whether it is made by software alone.
    pub fn is_virtual(&self) -> bool {
        self.folder.starts_with(b"/sys/devices/virtual/block/")
    }

    /// In sectors of 512 bytes.
    pub fn size(&self, source: &impl Source) -> u64 {
        self.line(source, "size").and_then(|text| figure(&text)).unwrap_or(0)
    }

    /// The name that the device mapper knows it by.
    pub fn mapper_name(&self, source: &impl Source) -> Option<String> {
        self.line(source, "dm/name")
    }

    /// The parts that it is divided into, in the kernel's order.
    pub fn partitions(&self, source: &impl Source) -> Vec<Self> {
        let names = source.entries(&self.folder).into_iter();
        let names = names.filter(|name| name.starts_with(self.name()) && name.len() > self.name().len());
        let device = |name: Vec<u8>| Self::in_folder(source, self.below(&name));
        names.filter_map(device).filter(Self::is_partition).collect()
    }

    /// What it is made of, in the kernel's order.
    pub fn slaves(&self, source: &impl Source) -> Vec<Self> {
        let folder = self.whole().map_or_else(|| self.below(b"slaves"), |whole| [whole, b"/slaves"].concat());
        let device = |name: Vec<u8>| Self::at(source, &[&folder, b"/".as_slice(), &name].concat());
        source.entries(&folder).into_iter().filter_map(device).collect()
    }

    /// One of udev's properties of it, udev(7).
    pub fn property(&self, source: &impl Source, name: &str) -> Option<String> {
        let number = |name: &str| figure(&system::text(self.uevent(name)?));
        let path = format!("/run/udev/data/b{}:{}", number("MAJOR")?, number("MINOR")?);
        udev::property(&source.read(path.as_bytes())?, name)
    }

    fn is_partition(&self) -> bool {
        self.uevent("DEVTYPE") == Some(b"partition")
    }

    /// The folder of what this is a part of.
    fn whole(&self) -> Option<&[u8]> {
        let end = self.folder.len() - self.name().len();
        self.folder[..end].strip_suffix(b"/").filter(|_| self.is_partition())
    }

    fn below(&self, name: &[u8]) -> Vec<u8> {
        [&self.folder, b"/".as_slice(), name].concat()
    }

    fn line(&self, source: &impl Source, name: &str) -> Option<String> {
        let text = system::text(source.read(&self.below(name.as_bytes()))?.trim_ascii());
        (!text.is_empty()).then_some(text)
    }

    /// The value of a line `NAME=value`.
    fn uevent(&self, name: &str) -> Option<&[u8]> {
        let mut lines = self.uevent.split(|byte| *byte == b'\n');
        lines.find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b"=")).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;

    const DISK: &str = "/sys/devices/pci0000:00/0000:00:05.0/virtio0/block/vda";

    fn at(machine: &Machine, name: &str) -> Option<Device> {
        Device::at(machine, format!("/sys/block/{name}").as_bytes())
    }

    fn nodes(devices: &[Device]) -> Vec<String> {
        devices.iter().filter_map(Device::node).collect()
    }

    #[test]
    fn a_disk_is_known_by_name_and_by_number() {
        let machine = Machine::new();
        machine.disk(DISK, "254:0");
        let disk = at(&machine, "vda").unwrap();
        assert_eq!(Device::numbered(&machine, (254, 0)), Some(disk.clone()));
        assert_eq!((disk.folder.as_slice(), disk.name()), (DISK.as_bytes(), b"vda".as_slice()));
        assert_eq!((disk.node().as_deref(), disk.size(&machine)), (Some("/dev/vda"), 2048));
        assert_eq!(Device::numbered(&machine, (254, 1)), None);
    }

    #[test]
    fn the_node_is_named_as_the_kernel_tells_udev() {
        let machine = Machine::new();
        machine.disk("/sys/devices/pci0000:00/0000:00:06.0/host0/block/cciss!c0d0", "104:0");
        let disk = at(&machine, "cciss!c0d0").unwrap();
        assert_eq!((disk.name(), disk.node().as_deref()), (b"cciss!c0d0".as_slice(), Some("/dev/cciss/c0d0")));
        // A path of a disk that several paths lead to.
        machine.disk("/sys/devices/pci0000:00/0000:00:03.0/nvme/nvme0/nvme1c0n1", "259:0");
        machine.file("/sys/devices/pci0000:00/0000:00:03.0/nvme/nvme0/nvme1c0n1/uevent", "DEVTYPE=disk\n");
        assert_eq!(at(&machine, "nvme1c0n1").unwrap().node(), None);
    }

    #[test]
    fn partitions_are_told_from_the_other_folders() {
        let machine = Machine::new();
        machine.disk(DISK, "254:0");
        machine.partition(DISK, "vda1", "254:1");
        machine.partition(DISK, "vda2", "254:2");
        machine.file(&format!("{DISK}/vdax/uevent"), "DEVNAME=vdax\n");
        machine.file(&format!("{DISK}/queue/uevent"), "DEVTYPE=partition\nDEVNAME=queue\n");
        assert_eq!(nodes(&at(&machine, "vda").unwrap().partitions(&machine)), ["/dev/vda1", "/dev/vda2"]);
    }

    #[test]
    fn a_partition_is_made_of_what_its_disk_is_made_of() {
        let machine = Machine::new();
        let array = "/sys/devices/virtual/block/md0";
        machine.disk(DISK, "254:0");
        machine.disk(array, "9:0");
        machine.slave(array, DISK);
        machine.partition(array, "md0p1", "259:0");
        for number in [(9, 0), (259, 0)] {
            let device = Device::numbered(&machine, number).unwrap();
            assert!(device.is_virtual());
            assert_eq!(nodes(&device.slaves(&machine)), ["/dev/vda"]);
        }
    }

    #[test]
    fn what_vanishes_while_it_is_looked_at_is_not_there() {
        let machine = Machine::new();
        let volume = "/sys/devices/virtual/block/dm-0";
        machine.disk(volume, "253:0");
        machine.slave(volume, "/sys/devices/gone");
        machine.file("/sys/devices/empty/x", "");
        machine.slave(volume, "/sys/devices/empty");
        machine.link("/sys/block/one", "two");
        machine.link("/sys/block/two", "one");
        let device = at(&machine, "dm-0").unwrap();
        assert_eq!(device.slaves(&machine), []);
        assert_eq!(device.mapper_name(&machine), None);
        assert_eq!(device.property(&machine, "ID_SERIAL"), None);
        assert_eq!((at(&machine, "one"), at(&machine, "absent")), (None, None));
        machine.file(&format!("{volume}/size"), "many\n");
        assert_eq!(device.size(&machine), 0);
    }

    #[test]
    fn properties_are_udevs() {
        let machine = Machine::new();
        machine.disk(DISK, "254:0");
        machine.file("/run/udev/data/b254:0", "E:ID_SERIAL=s-1\n");
        assert_eq!(at(&machine, "vda").unwrap().property(&machine, "ID_SERIAL").as_deref(), Some("s-1"));
    }
}
