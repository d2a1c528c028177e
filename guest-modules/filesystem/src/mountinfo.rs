//! The kernel's mount table, proc_pid_mountinfo(5).

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
}
