//! The kernel's mount table, proc_pid_mountinfo(5), and which of its lines are file systems on a disk of this VM.

use crate::{ErrorCode, Mounted};
use std::collections::HashMap;

/// How many further mount points of a file system are kept. Containers bind one file system to a hundred thousand places, more
/// than a module can hold; an honest one that cannot be reached at nine of its places is taken for one that is hidden.
const FURTHER: usize = 8;

/// One line of the table, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The mount's own number.
    pub id: u64,
    /// The device: major and minor number.
    pub device: (u32, u32),
    /// Where it is mounted.
    pub mount_point: Vec<u8>,
    /// The kind of file system, such as `ext4`.
    pub kind: Vec<u8>,
    /// What is mounted: a device's path, or a word.
    pub source: Vec<u8>,
    /// The paths of all its devices, if the line names several: the parts of a bcachefs (`a:b`), a log or a real-time section of
    /// its own (`logdev=`, `rtdev=`, `jdev=`).
    pub parts: Vec<Vec<u8>>,
    /// More mounts of the same file system: number and mount point. Filled by [`on_disks`].
    pub further: Vec<(u64, Vec<u8>)>,
}

impl Mount {
    /// Does `act` where the file system can be reached: at its mount point or, if another file system has been mounted over that,
    /// at a further one. What `act` says of the first is the answer if it can be reached nowhere.
    pub fn reach<T>(&self, act: impl Fn(Mounted) -> Result<T, ErrorCode>) -> Result<T, ErrorCode> {
        let is_hidden =
            |code: &ErrorCode| matches!(code, ErrorCode::CrossDevice | ErrorCode::NoEntry | ErrorCode::NotDirectory);
        let first = act(self.mounted());
        if !first.as_ref().is_err_and(is_hidden) {
            return first;
        }
        let (major, minor) = self.device;
        let further = self
            .further
            .iter()
            .map(|(mount, mount_point)| act(Mounted { mount_point: mount_point.clone(), mount: *mount, major, minor }));
        further.into_iter().find(|done| !done.as_ref().is_err_and(is_hidden)).unwrap_or(first)
    }

    /// It, by its first mount point.
    pub fn mounted(&self) -> Mounted {
        let (major, minor) = self.device;
        Mounted { mount_point: self.mount_point.clone(), mount: self.id, major, minor }
    }
}

/// The table's lines in their order. A line that is not as the manual page says is passed over.
pub fn parse(table: &[u8]) -> Vec<Mount> {
    lines(table).collect()
}

/// The same, one by one: a table may be long, and few of its lines are kept.
pub fn lines(table: &[u8]) -> impl Iterator<Item = Mount> {
    table.split(|byte| *byte == b'\n').filter_map(line)
}

/// The first mount of every file system on a local block device, in the order in which they were mounted, each with the
/// number of its block device. A device that is mounted more than once (a bind mount, say) counts with its first mount
/// point only: it has one superblock, and that can be frozen once.
///
/// Network, memory and other file systems without a disk have major number 0. btrfs has too, one number for all its volumes and
/// mounts: there the source is a device, of which `block_device` knows the number. If it does not, since the source is no
/// device node (`/dev/root`) or one that has been taken away, the number stays as it is.
pub fn on_disks(
    table: impl IntoIterator<Item = Mount>,
    block_device: impl Fn(&[u8]) -> Option<(u32, u32)>,
) -> Vec<Mount> {
    let mut chosen = Chosen::default();
    for mount in table {
        chosen.meet(mount, &block_device);
    }
    chosen.mounts
}

/// The same of a table of any length, which `next` gives some lines at a time, at its end none (`mounts.next-mounts`). Kept is
/// only what is chosen: a VM with a hundred thousand mounts seldom has a hundred disks.
pub fn read_on_disks<E>(
    mut next: impl FnMut() -> Result<Vec<u8>, E>,
    block_device: impl Fn(&[u8]) -> Option<(u32, u32)>,
) -> Result<Vec<Mount>, E> {
    let mut chosen = Chosen::default();
    loop {
        let piece = next()?;
        if piece.is_empty() {
            return Ok(chosen.mounts);
        }
        for mount in lines(&piece) {
            chosen.meet(mount, &block_device);
        }
    }
}

/// What was met so far.
#[derive(Default)]
struct Chosen {
    mounts: Vec<Mount>,
    /// Which of them has this number in the table.
    by_number: HashMap<(u32, u32), usize>,
}

impl Chosen {
    fn meet(&mut self, mount: Mount, block_device: impl Fn(&[u8]) -> Option<(u32, u32)>) {
        if mount.device.0 == 0 && mount.kind != b"btrfs" {
            return;
        }
        if let Some(first) = self.by_number.get(&mount.device) {
            let further = &mut self.mounts[*first].further;
            if further.len() < FURTHER {
                further.push((mount.id, mount.mount_point));
            }
            return;
        }
        self.by_number.insert(mount.device, self.mounts.len());
        let number = if mount.device.0 == 0 { block_device(&mount.source) } else { None };
        self.mounts.push(Mount { device: number.unwrap_or(mount.device), ..mount });
    }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`: the number of fields before the
/// dash varies.
fn line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let device = device(fields.nth(1)?)?;
    let mount_point = unescape(fields.nth(1)?);
    let mut behind = fields.skip_while(|field| *field != b"-").skip(1);
    let (kind, source) = (unescape(behind.next()?), unescape(behind.next()?));
    let parts = parts(&kind, &source, behind.next().unwrap_or_default());
    Some(Mount { id, device, mount_point, kind, source, parts, further: Vec::new() })
}

/// The devices that a line names, if it names more than the one.
fn parts(kind: &[u8], source: &[u8], options: &[u8]) -> Vec<Vec<u8>> {
    if kind == b"bcachefs" && source.contains(&b':') {
        return source.split(|byte| *byte == b':').map(<[u8]>::to_vec).collect();
    }
    let path = |option: &[u8]| {
        let names: [&[u8]; 3] = [b"logdev=", b"rtdev=", b"jdev="];
        names.iter().find_map(|name| option.strip_prefix(*name)).map(unescape)
    };
    let others: Vec<_> = options.split(|byte| *byte == b',').filter_map(path).collect();
    if others.is_empty() { others } else { [vec![source.to_vec()], others].concat() }
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
            id: 36,
            device: (98, 0),
            mount_point: b"/mnt2".to_vec(),
            kind: b"ext3".to_vec(),
            source: b"/dev/root".to_vec(),
            parts: Vec::new(),
            further: Vec::new(),
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
        for broken in [
            "",
            "1 2 3",
            "x 0 8:1 / /a rw - ext4 d rw",
            "1 0 8 / /a rw - ext4 /dev/a rw",
            "1 0 8:1 / /a rw ext4 /dev/a rw",
            "1 0 8:x / /a rw - e d",
        ] {
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
    fn btrfs_is_a_file_system_whatever_its_source_is() {
        let table = "\
1 0 0:30 /@ / rw - btrfs /dev/vdb rw
2 1 0:30 /@home /home rw - btrfs /dev/vdb rw
3 1 0:31 / /x rw - btrfs /dev/root rw
4 1 0:31 / /y rw - btrfs /dev/gone//deleted rw";
        assert_eq!(selected(table), ["/", "/x"]);
        let mounts = on_disks(parse(table.as_bytes()), |source| (source == b"/dev/vdb").then_some((254, 16)));
        assert_eq!([mounts[0].device, mounts[1].device], [(254, 16), (0, 31)]);
    }

    #[test]
    fn a_line_may_name_several_devices() {
        let parts = |line: &str| {
            let parts = parse(line.as_bytes()).remove(0).parts;
            parts.into_iter().map(|part| String::from_utf8(part).unwrap()).collect::<Vec<_>>()
        };
        let xfs = "1 0 8:1 / /a rw - xfs /dev/sda1 rw,attr2,logdev=/dev/a\\040b,rtdev=/dev/sdc,noquota";
        assert_eq!(parts(xfs), ["/dev/sda1", "/dev/a b", "/dev/sdc"]);
        assert_eq!(parts("1 0 8:1 / /a rw - bcachefs /dev/sda:/dev/sdb rw,foreground=x"), ["/dev/sda", "/dev/sdb"]);
        assert_eq!(parts("1 0 8:1 / /a rw - bcachefs /dev/sda rw"), [""; 0]);
        assert_eq!(parts("1 0 8:1 / /a rw - ext4 /dev/disk/by-path/pci-0000:00 rw"), [""; 0]);
    }

    #[test]
    fn what_is_hidden_at_one_place_is_reached_at_another() {
        let table = "1 0 8:1 / /a rw - ext4 d rw\n2 0 8:1 / /b rw - ext4 d rw\n3 0 8:1 / /c rw - ext4 d rw";
        let mount = on_disks(parse(table.as_bytes()), |_| None).remove(0);
        let at = |open: &'static [u8]| {
            mount.reach(|it| match it.mount_point.as_slice() {
                point if point == open => Ok((it.mount, it.major, it.minor)),
                b"/a" => Err(ErrorCode::CrossDevice),
                _ => Err(ErrorCode::NoEntry),
            })
        };
        assert_eq!([at(b"/a"), at(b"/b"), at(b"/c")], [Ok((1, 8, 1)), Ok((2, 8, 1)), Ok((3, 8, 1))]);
        assert_eq!(at(b"/d"), Err(ErrorCode::CrossDevice), "the first answer is the answer");
        let refused: Result<(), _> = mount.reach(|_| Err(ErrorCode::Busy));
        assert_eq!(refused, Err(ErrorCode::Busy), "one that is reached is not looked for elsewhere");
        let many: String = (0..100).map(|id| format!("{id} 0 8:1 / /{id} rw - ext4 d rw\n")).collect();
        assert_eq!(on_disks(parse(many.as_bytes()), |_| None)[0].further.len(), FURTHER);
    }
}
