//! `guest-get-fsinfo`: the mounted file systems, how full they are, and the disks they are on.

use crate::address::address;
use crate::bindings::bulkhead::agent::mounts;
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
    let space = |mount_point: &[u8]| mounts::usage(mount_point).ok();
    Ok(stream::list(mounts.into_iter().rev().map(|mount| tell(&Kernel, &mount, space))))
}

/// A file system that does not tell how full it is, or not in time, has no sizes.
fn tell(source: &impl Source, mount: &Mount, space: impl Fn(&[u8]) -> Option<mounts::Space>) -> GuestFilesystemInfo {
    let device = Device::numbered(source, mount.device);
    let space = space(&mount.mount_point);
    let used = space.map(|space| space.total.saturating_sub(space.free));
    GuestFilesystemInfo {
        name: device
            .as_ref()
            .map_or_else(|| format!("{}:{}", mount.device.0, mount.device.1), |device| system::text(device.name())),
        mountpoint: system::text(&mount.mount_point),
        r#type: system::text(&mount.kind),
        used_bytes: used,
        total_bytes: space.zip(used).map(|(space, used)| used.saturating_add(space.available)),
        total_bytes_privileged: space.map(|space| space.total),
        disk: device.map_or_else(Vec::new, |device| disks(source, device)),
    }
}

/// The disks that a device stands on, each once, however the devices between are stacked. The order is qemu-ga's: the
/// reverse of that in which the kernel lists them.
fn disks(source: &impl Source, device: Device) -> Vec<GuestDiskAddress> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut left = vec![device];
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

    fn told(machine: &Machine, line: &[u8], space: Option<mounts::Space>) -> GuestFilesystemInfo {
        let told = || tell(machine, &mountinfo::parse(line)[0], |_| space);
        system::assert_fits("guest-get-fsinfo", [told()]);
        told()
    }

    fn nodes(machine: &Machine, number: (u32, u32)) -> Vec<String> {
        let found = disks(machine, Device::numbered(machine, number).unwrap());
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
