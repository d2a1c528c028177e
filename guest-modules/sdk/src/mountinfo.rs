//! The kernel's mount table, proc_pid_mountinfo(5), and which of its lines are file systems on a disk of this VM.

use std::collections::HashSet;

/// One line of the table, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The device: major and minor number.
    pub device: (u32, u32),
    /// Where it is mounted.
    pub mount_point: Vec<u8>,
    /// The kind of file system, such as `ext4`.
    pub kind: Vec<u8>,
    /// What is mounted: a device's path, or a word.
    pub source: Vec<u8>,
}

/// The table's lines in their order. A line that is not as the manual page says is passed over.
pub fn parse(table: &[u8]) -> Vec<Mount> {
    table.split(|byte| *byte == b'\n').filter_map(line).collect()
}

/// The first mount of every file system on a local block device, in the order in which they were mounted, each with the
/// number of its block device. A device that is mounted more than once (a bind mount, say) counts with its first mount
/// point only: it has one superblock, and that can be frozen once.
///
/// Network, memory and other file systems without a disk have major number 0. btrfs has too, for the volumes of a file
/// system: there the source tells the device, of which `block_device` knows the number.
pub fn on_disks(table: Vec<Mount>, block_device: impl Fn(&[u8]) -> Option<(u32, u32)>) -> Vec<Mount> {
    let mut chosen = Chosen::default();
    table.into_iter().filter_map(|mount| chosen.choose(mount, &block_device)).collect()
}

/// The same of a table of any length, which `next` gives some lines at a time, at its end none (`mounts.next-mounts`). Kept is
/// only what is chosen: a VM with a hundred thousand mounts seldom has a hundred disks.
pub fn read_on_disks<E>(
    mut next: impl FnMut() -> Result<Vec<u8>, E>,
    block_device: impl Fn(&[u8]) -> Option<(u32, u32)>,
) -> Result<Vec<Mount>, E> {
    let (mut chosen, mut mounts) = (Chosen::default(), Vec::new());
    loop {
        let lines = next()?;
        if lines.is_empty() {
            return Ok(mounts);
        }
        let lines = lines.split(|byte| *byte == b'\n').filter_map(line);
        mounts.extend(lines.filter_map(|mount| chosen.choose(mount, &block_device)));
    }
}

/// The devices whose first mount was met.
#[derive(Default)]
struct Chosen(HashSet<(u32, u32)>);

impl Chosen {
    fn choose(&mut self, mount: Mount, block_device: impl Fn(&[u8]) -> Option<(u32, u32)>) -> Option<Mount> {
        let device = match mount.device {
            (0, _) if mount.kind == b"btrfs" => block_device(&mount.source)?,
            (0, _) => return None,
            device => device,
        };
        self.0.insert(device).then_some(Mount { device, ..mount })
    }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`: the number of fields before the
/// dash varies.
fn line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let device = device(fields.nth(2)?)?;
    let mount_point = unescape(fields.nth(1)?);
    let mut behind = fields.skip_while(|field| *field != b"-").skip(1);
    Some(Mount { device, mount_point, kind: unescape(behind.next()?), source: unescape(behind.next()?) })
}

fn device(field: &[u8]) -> Option<(u32, u32)> {
    let (major, minor) = std::str::from_utf8(field).ok()?.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Space, tab, line feed and backslash stand in the table as a backslash and three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut at = 0;
    while let Some(byte) = field.get(at) {
        let escaped = field.get(at + 1..at + 4).filter(|_| *byte == b'\\').and_then(octal);
        plain.push(escaped.unwrap_or(*byte));
        at += if escaped.is_some() { 4 } else { 1 };
    }
    plain
}

fn octal(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_pages_example_is_read() {
        let table = b"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n";
        let mount = Mount {
            device: (98, 0),
            mount_point: b"/mnt2".to_vec(),
            kind: b"ext3".to_vec(),
            source: b"/dev/root".to_vec(),
        };
        assert_eq!(parse(table), [mount]);
    }

    #[test]
    fn optional_fields_may_be_none_or_many() {
        let table = b"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:2 / /b rw shared:1 master:2 unbindable - xfs /dev/b rw\n";
        let points: Vec<_> = parse(table).into_iter().map(|mount| mount.mount_point).collect();
        assert_eq!(points, [b"/".to_vec(), b"/b".to_vec()]);
    }

    #[test]
    fn octal_escapes_become_bytes() {
        let table = b"1 0 8:1 / /a\\040b\\134c\\377 rw - ext4 /dev/a rw";
        assert_eq!(parse(table)[0].mount_point, b"/a b\\c\xFF");
        assert_eq!(unescape(b"\\04"), b"\\04");
    }

    #[test]
    fn broken_lines_are_passed_over() {
        for broken in
            ["", "1 2 3", "1 0 8 / /a rw - ext4 /dev/a rw", "1 0 8:1 / /a rw ext4 /dev/a rw", "1 0 8:x / /a rw - e d"]
        {
            assert_eq!(parse(broken.as_bytes()), [], "{broken}");
        }
    }

    fn selected(table: &str) -> Vec<String> {
        let device = |source: &[u8]| (source == b"/dev/vdb").then_some((254, 16));
        let mounts = on_disks(parse(table.as_bytes()), device);
        mounts.into_iter().map(|mount| String::from_utf8(mount.mount_point).unwrap()).collect()
    }

    #[test]
    fn file_systems_without_a_disk_are_left_out() {
        let table = "\
1 0 254:1 / / rw - ext4 /dev/vda1 rw
2 1 0:20 / /proc rw - proc proc rw
3 1 0:21 / /run rw - tmpfs tmpfs rw
4 1 0:40 / /srv rw - nfs4 host:/srv rw
5 1 254:2 / /data rw - xfs /dev/vda2 rw";
        assert_eq!(selected(table), ["/", "/data"]);
    }

    #[test]
    fn a_superblock_counts_once_with_its_first_mount_point() {
        let table = "\
1 0 254:1 / / rw - ext4 /dev/vda1 rw
2 1 7:0 / /a rw - ext4 /dev/loop0 rw
3 1 254:1 /home /home rw - ext4 /dev/vda1 rw
4 1 7:0 / /b rw - ext4 /dev/loop0 rw";
        assert_eq!(selected(table), ["/", "/a"]);
    }

    #[test]
    fn a_table_in_pieces_is_the_same_table() {
        let table = "\
1 0 254:1 / / rw - ext4 /dev/vda1 rw
2 1 0:20 / /proc rw - proc proc rw
3 1 254:1 /home /home rw - ext4 /dev/vda1 rw
4 1 7:0 / /b rw - ext4 /dev/loop0 rw";
        for length in [1, 2, 4] {
            let lines: Vec<_> = table.split_inclusive('\n').map(str::as_bytes).collect();
            let mut pieces = lines.chunks(length).map(<[_]>::concat);
            let read = read_on_disks(|| Ok::<_, ()>(pieces.next().unwrap_or_default()), |_| None);
            assert_eq!(read, Ok(on_disks(parse(table.as_bytes()), |_| None)), "{length} lines at a time");
        }
        assert_eq!(read_on_disks(|| Err("gone"), |_| None), Err("gone"));
    }

    #[test]
    fn btrfs_is_known_by_its_source() {
        let table = "\
1 0 0:30 /@ / rw - btrfs /dev/vdb rw
2 1 0:30 /@home /home rw - btrfs /dev/vdb rw
3 1 0:31 / /x rw - btrfs /dev/gone rw";
        assert_eq!(selected(table), ["/"]);
        let mounts = on_disks(parse(table.as_bytes()), |_| Some((254, 16)));
        assert_eq!(mounts[0].device, (254, 16));
    }
}
