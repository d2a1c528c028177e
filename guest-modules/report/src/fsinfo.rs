//! `guest-get-fsinfo`: the mounted file systems, how full they are, and the disks they are on.

use crate::address::address;
use crate::bindings::bulkhead::agent::mounts;
use crate::btrfs;
use crate::schema::{GuestDiskAddress, GuestFilesystemInfo, GuestGetFsinfoArguments};
use crate::stream;
use crate::sysfs::{Device, Kernel, Source};
use crate::system;
use bulkhead_module::mountinfo::{self, Mount};
use bulkhead_module::{CommandError, Tail};
use std::collections::BTreeSet;

/// Tells of the file systems that freezing knows, last mounted first.
pub fn fsinfo(_: GuestGetFsinfoArguments) -> Result<Tail, CommandError> {
    let block_device = |source: &[u8]| mounts::block_device(source).ok().map(|device| (device.major, device.minor));
    let mounts = mountinfo::read_on_disks(mounts::next_mounts, block_device).map_err(|code| {
        CommandError::generic(format!("failed to open file '/proc/self/mountinfo': {}", code.text()))
    })?;
    Ok(stream::list(mounts.into_iter().rev().map(|mount| tell(&Kernel, &mount, &Host))))
}

/// What only the host knows of a mounted file system.
trait FileSystems {
    /// How full it is. None if it does not tell, or not in time, or if it cannot be reached: then the sizes would be those of
    /// another one, which is mounted over it.
    fn space(&self, mount: &Mount) -> Option<mounts::Space>;
    /// The identity of a btrfs.
    fn btrfs_id(&self, mount: &Mount) -> Option<Vec<u8>>;
    /// The number of the block device at a path.
    fn block_device(&self, path: &[u8]) -> Option<(u32, u32)>;
}

struct Host;

impl FileSystems for Host {
    fn space(&self, mount: &Mount) -> Option<mounts::Space> {
        mount.reach(|it| mounts::usage_of(&it)).ok()
    }

    fn btrfs_id(&self, mount: &Mount) -> Option<Vec<u8>> {
        mount.reach(|it| mounts::btrfs_id(&it)).ok()
    }

    fn block_device(&self, path: &[u8]) -> Option<(u32, u32)> {
        mounts::block_device(path).ok().map(|device| (device.major, device.minor))
    }
}

fn tell(source: &impl Source, mount: &Mount, file_systems: &impl FileSystems) -> GuestFilesystemInfo {
    let devices = devices(source, mount, file_systems);
    let device = devices.first();
    let space = file_systems.space(mount);
    let used = space.map(|space| space.total.saturating_sub(space.free));
    GuestFilesystemInfo {
        name: device
            .map_or_else(|| format!("{}:{}", mount.device.0, mount.device.1), |device| system::text(device.name())),
        mountpoint: system::text(&mount.mount_point),
        r#type: system::text(&mount.kind),
        used_bytes: used,
        total_bytes: space.zip(used).map(|(space, used)| used.saturating_add(space.available)),
        total_bytes_privileged: space.map(|space| space.total),
        disk: disks(source, devices),
    }
}

/// The devices that a file system is on. First the one that the mount table names, if it is there.
fn devices(source: &impl Source, mount: &Mount, file_systems: &impl FileSystems) -> Vec<Device> {
    let named = Device::numbered(source, mount.device);
    if mount.kind == b"btrfs" {
        let all = btrfs::devices(source, || file_systems.btrfs_id(mount), named.as_ref());
        let named = named.filter(|named| all.is_empty() || all.contains(named));
        return named.into_iter().chain(all).collect();
    }
    let parts = mount.parts.iter().filter_map(|path| file_systems.block_device(path));
    named.into_iter().chain(parts.filter_map(|number| Device::numbered(source, number))).collect()
}

/// The disks that devices stand on, each once, however the devices between are stacked. The order is qemu-ga's: the
/// reverse of that in which the kernel lists them.
fn disks(source: &impl Source, devices: Vec<Device>) -> Vec<GuestDiskAddress> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut left = devices;
    left.reverse();
    while let Some(device) = left.pop() {
        if !seen.insert(device.folder.clone()) {
            continue;
        }
        if device.is_virtual() {
            left.extend(device.slaves(source));
        } else {
            found.push(address(source, &device));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;

    const VDA: &str = "/sys/devices/pci0000:00/0000:00:05.0/virtio0/block/vda";
    const VDB: &str = "/sys/devices/pci0000:00/0000:00:06.0/virtio1/block/vdb";
    const ARRAY: &str = "/sys/devices/virtual/block/md0";
    const VOLUME: &str = "/sys/devices/virtual/block/dm-0";

    fn machine() -> Machine {
        let machine = Machine::new();
        machine.disk(VDA, "254:0");
        machine.partition(VDA, "vda1", "254:1");
        machine.disk(VDB, "254:16");
        machine.disk(ARRAY, "9:0");
        machine.slave(ARRAY, &format!("{VDA}/vda1"));
        machine.slave(ARRAY, VDB);
        machine.disk(VOLUME, "253:0");
        machine.slave(VOLUME, ARRAY);
        machine
    }

    /// A host that answers these.
    #[derive(Default)]
    struct Pretended {
        space: Option<mounts::Space>,
        btrfs_id: Option<Vec<u8>>,
    }

    impl FileSystems for Pretended {
        fn space(&self, _: &Mount) -> Option<mounts::Space> {
            self.space
        }

        fn btrfs_id(&self, _: &Mount) -> Option<Vec<u8>> {
            self.btrfs_id.clone()
        }

        fn block_device(&self, path: &[u8]) -> Option<(u32, u32)> {
            match path {
                b"/dev/vda1" => Some((254, 1)),
                b"/dev/vdb" => Some((254, 16)),
                b"/dev/mapper/volume" => Some((253, 0)),
                _ => None,
            }
        }
    }

    fn told(machine: &Machine, line: &[u8], space: Option<mounts::Space>) -> GuestFilesystemInfo {
        told_by(machine, line, &Pretended { space, ..Pretended::default() })
    }

    fn told_by(machine: &Machine, line: &[u8], host: &Pretended) -> GuestFilesystemInfo {
        let mounts = mountinfo::on_disks(mountinfo::parse(line), |path| host.block_device(path));
        let told = || tell(machine, &mounts[0], host);
        system::assert_fits("guest-get-fsinfo", [told()]);
        told()
    }

    fn nodes(machine: &Machine, number: (u32, u32)) -> Vec<String> {
        let found = disks(machine, vec![Device::numbered(machine, number).unwrap()]);
        found.into_iter().filter_map(|disk| disk.dev).collect()
    }

    #[test]
    fn what_root_alone_may_use_is_not_counted_for_the_others() {
        let space = mounts::Space { total: 1000, free: 300, available: 250 };
        let it = told(&machine(), b"1 0 254:1 / /data rw - ext4 /dev/vda1 rw", Some(space));
        assert_eq!((it.name.as_str(), it.mountpoint.as_str(), it.r#type.as_str()), ("vda1", "/data", "ext4"));
        let sizes = [it.used_bytes, it.total_bytes, it.total_bytes_privileged];
        assert_eq!(sizes, [Some(700), Some(950), Some(1000)]);
        assert_eq!(it.disk.iter().map(|disk| disk.dev.as_deref()).collect::<Vec<_>>(), [Some("/dev/vda1")]);
    }

    #[test]
    fn figures_that_cannot_be_are_no_trap() {
        let space = mounts::Space { total: 1, free: u64::MAX, available: u64::MAX };
        let it = told(&machine(), b"1 0 254:1 / / rw - ext4 /dev/vda1 rw", Some(space));
        assert_eq!((it.used_bytes, it.total_bytes), (Some(0), Some(u64::MAX)));
    }

    #[test]
    fn without_an_answer_there_are_no_sizes() {
        let it = told(&machine(), b"1 0 254:1 / / rw - fuseblk /dev/vda1 rw", None);
        assert_eq!([it.used_bytes, it.total_bytes, it.total_bytes_privileged], [None; 3]);
        assert_eq!(it.disk.len(), 1);
    }

    #[test]
    fn a_device_that_sysfs_does_not_know_is_its_number() {
        let it = told(&machine(), b"1 0 8:99 / /a\\012\\134\xFF rw - ext4 /dev/x rw", None);
        assert_eq!((it.name.as_str(), it.mountpoint.as_str(), it.disk.len()), ("8:99", "/a\n\\\u{FFFD}", 0));
    }

    /// The name and the disks.
    fn on(machine: &Machine, line: &str, host: &Pretended) -> (String, Vec<String>) {
        let it = told_by(machine, line.as_bytes(), host);
        (it.name, it.disk.into_iter().filter_map(|disk| disk.dev).collect())
    }

    #[test]
    fn all_devices_of_a_file_system_are_told() {
        let (machine, host) = (machine(), Pretended::default());
        let both = |name: &str, one: &str, other: &str| (name.to_owned(), vec![one.to_owned(), other.to_owned()]);
        let xfs = "1 0 254:1 / / rw - xfs /dev/vda1 rw,logdev=/dev/vdb,noquota";
        assert_eq!(on(&machine, xfs, &host), both("vda1", "/dev/vda1", "/dev/vdb"));
        let bcachefs = "1 0 254:16 / / rw - bcachefs /dev/vda1:/dev/vdb rw";
        assert_eq!(on(&machine, bcachefs, &host), both("vdb", "/dev/vdb", "/dev/vda1"));
        let on_a_volume = "1 0 254:1 / / rw - xfs /dev/vda1 rw,logdev=/dev/mapper/volume,rtdev=/dev/gone";
        assert_eq!(on(&machine, on_a_volume, &host), both("vda1", "/dev/vda1", "/dev/vdb"));
    }

    #[test]
    fn a_btrfs_is_on_all_its_devices_whatever_its_source_is() {
        let machine = machine();
        let id = "6f7a4e1c-0000-4000-8000-000000000001";
        let devices = |disks: &[(&str, &str)]| {
            for (name, folder) in disks {
                machine.link(&format!("/sys/fs/btrfs/{id}/devices/{name}"), &format!("../../../../../{folder}"));
            }
        };
        let bytes = [0x6F, 0x7A, 0x4E, 0x1C, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 1];
        let known = || Pretended { btrfs_id: Some(bytes.to_vec()), ..Pretended::default() };
        let line = |source: &str| format!("1 0 0:30 /@ / rw - btrfs {source} rw,subvol=/@");
        let (both, one) = (["/dev/vda1", "/dev/vdb"], vec!["/dev/vdb".to_owned()]);
        assert_eq!(on(&machine, &line("/dev/root"), &known()), ("0:30".to_owned(), Vec::new()));
        assert_eq!(on(&machine, &line("/dev/vdb"), &known()), ("vdb".to_owned(), one.clone()));
        devices(&[("vda1", &format!("{VDA}/vda1")), ("vdb", VDB)]);
        for host in [known(), Pretended::default()] {
            let (name, mut disks) = on(&machine, &line("/dev/vdb"), &host);
            disks.sort();
            assert_eq!((name.as_str(), disks), ("vdb", both.map(str::to_owned).to_vec()));
        }
        let (name, mut disks) = on(&machine, &line("/dev/root"), &known());
        disks.sort();
        assert!(["vda1", "vdb"].contains(&name.as_str()));
        assert_eq!(disks, both);
        assert_eq!(on(&machine, &line("/dev/root"), &Pretended::default()), ("0:30".to_owned(), Vec::new()));
    }

    #[test]
    fn a_source_that_is_another_file_systems_device_by_now_is_none() {
        let machine = machine();
        machine
            .link("/sys/fs/btrfs/01010101-0101-0101-0101-010101010101/devices/vdb", &format!("../../../../../{VDB}"));
        let host = Pretended { btrfs_id: Some(vec![1; 16]), ..Pretended::default() };
        let expected = ("vdb".to_owned(), vec!["/dev/vdb".to_owned()]);
        assert_eq!(on(&machine, "1 0 0:30 / / rw - btrfs /dev/vda1 rw", &host), expected);
    }

    #[test]
    fn the_disks_are_those_at_the_bottom() {
        let machine = machine();
        for number in [(253, 0), (9, 0)] {
            assert_eq!(nodes(&machine, number), ["/dev/vdb", "/dev/vda1"]);
        }
        machine.disk("/sys/devices/virtual/block/loop0", "7:0");
        assert_eq!(nodes(&machine, (7, 0)), [""; 0]);
    }

    #[test]
    fn each_disk_is_told_once_however_the_stack_is_built() {
        let machine = machine();
        machine.slave(VOLUME, VDB);
        machine.slave(ARRAY, VOLUME);
        machine.slave(ARRAY, ARRAY);
        assert_eq!(nodes(&machine, (253, 0)), ["/dev/vdb", "/dev/vda1"]);
        // Each layer stands on the one below in two ways: a million ways to the bottom.
        for layer in 1..=20 {
            for twin in ["a", "b"] {
                let folder = format!("/sys/devices/virtual/block/{twin}{layer}");
                machine.disk(&folder, &format!("{}:{layer}", 300 + u32::from(twin == "b")));
                for below in ["a", "b"] {
                    let below = format!("/sys/devices/virtual/block/{below}{}", layer - 1);
                    machine.slave(&folder, if layer == 1 { VDA } else { &below });
                }
            }
        }
        assert_eq!(nodes(&machine, (300, 20)), ["/dev/vda"]);
    }
}
