//! A mount table with more in it than there is.

use crate::{MountId, Mounts, Rehearsal, System, Usage, in_memory};
use nix::errno::Errno;
use std::fs::File;
use std::io::Read;
use std::time::Duration;

impl<S: System> Mounts for Rehearsal<S> {
    fn mount_table(&self) -> Result<File, Errno> {
        let mut table = Vec::new();
        self.real.mount_table()?.read_to_end(&mut table).map_err(|_| Errno::EIO)?;
        let (table, added) = with(table, &self.mount_points);
        added
            .iter()
            .for_each(|point| self.notes.add(format!("a file system on a disk was taken to be mounted at {point}")));
        in_memory(&table)
    }

    fn block_device(&self, path: &[u8]) -> Result<(u32, u32), Errno> {
        self.real.block_device(path)
    }

    fn usage(&self, mount_point: &[u8], is: Option<MountId>, patience: Duration) -> Result<Usage, Errno> {
        self.real.usage(mount_point, is, patience)
    }

    fn btrfs_id(&self, mount_point: &[u8], is: MountId, patience: Duration) -> Result<Vec<u8>, Errno> {
        self.real.btrfs_id(mount_point, is, patience)
    }
}

/// The table with each of `points` as the mount point of a file system on a disk of its own, if nothing is mounted there;
/// with `/` if no file system is on a disk, as in a container. Gives what was added, too.
pub(super) fn with(mut table: Vec<u8>, points: &[String]) -> (Vec<u8>, Vec<String>) {
    let lines = || table.split(|byte| *byte == b'\n');
    let field = |line: &[u8], index| line.split(|byte| *byte == b' ').nth(index).map(<[u8]>::to_vec);
    let is_mounted = |point: &String| lines().any(|line| field(line, 4) == Some(escaped(point)));
    let has_disk = lines().any(|line| field(line, 2).is_some_and(|device| !device.starts_with(b"0:")));
    let mut added: Vec<String> =
        points.iter().filter(|point| point.starts_with('/') && !is_mounted(point)).cloned().collect();
    if !has_disk && !added.iter().any(|point| point == "/") {
        added.push("/".to_owned());
    }
    if !table.is_empty() && !table.ends_with(b"\n") {
        table.push(b'\n');
    }
    for (number, point) in added.iter().enumerate() {
        // Of the numbers that are set aside for experiments.
        table.extend(
            format!("0 0 240:{number} / ").bytes().chain(escaped(point)).chain(*b" rw - ext4 /dev/supposed rw\n"),
        );
    }
    (table, added)
}

/// As the kernel writes it: white space and backslashes as three octal digits.
fn escaped(point: &str) -> Vec<u8> {
    let byte = |byte: u8| match byte {
        b' ' | b'\t' | b'\n' | b'\\' => format!("\\{byte:03o}").into_bytes(),
        plain => vec![plain],
    };
    point.bytes().flat_map(byte).collect()
}
