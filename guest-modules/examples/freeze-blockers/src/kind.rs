//! Kinds of file systems that a freeze leaves out, and why.

/// Their files lie on a server or on the host of the VM.
const REMOTE: &[&str] = &["nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "virtiofs", "afs", "lustre", "vboxsf"];

/// They lie on a disk and have no freeze: the kernel answers EOPNOTSUPP.
const WITHOUT_FREEZE: &[&str] =
    &["vfat", "exfat", "msdos", "ntfs", "ntfs3", "hfs", "hfsplus", "minix", "zfs", "bcachefs"];

/// Nothing is ever written to them.
const READ_ONLY: &[&str] = &["squashfs", "iso9660", "erofs", "udf", "cramfs"];

/// Why a file system of this kind takes no part in a freeze although files lie on it; nothing if it does, or if there is
/// nothing on it that a backup could miss.
pub(crate) fn left_out(kind: &str) -> Option<&'static str> {
    if REMOTE.contains(&kind) {
        Some("its files lie on another machine, which does not freeze with this one")
    } else if kind == "fuse" || kind == "fuseblk" || kind.starts_with("fuse.") {
        Some("a program serves it, and the kernel cannot freeze what a program does")
    } else if WITHOUT_FREEZE.contains(&kind) {
        Some("its driver has no freeze")
    } else if kind == "overlay" || kind == "aufs" {
        Some("it has no disk of its own: its files are as consistent as the file system with its upper layer")
    } else {
        None
    }
}

/// Whether nothing can be lost on it.
pub(crate) fn is_read_only(kind: &str) -> bool {
    READ_ONLY.contains(&kind)
}

/// Whether who writes to it waits for somebody else than a disk.
pub(crate) fn depends_on_others(kind: &str) -> bool {
    REMOTE.contains(&kind) || kind == "fuse" || kind == "fuseblk" || kind.starts_with("fuse.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart() {
        assert!(left_out("nfs4").is_some_and(|why| why.contains("another machine")));
        assert!(left_out("fuse.sshfs").is_some_and(|why| why.contains("a program")));
        assert!(left_out("vfat").is_some_and(|why| why.contains("no freeze")));
        for takes_part_or_has_nothing in ["ext4", "xfs", "btrfs", "proc", "tmpfs", "cgroup2", "fusectl"] {
            assert_eq!(left_out(takes_part_or_has_nothing), None, "{takes_part_or_has_nothing}");
        }
        assert!(depends_on_others("fuse.sshfs") && !depends_on_others("fusectl") && is_read_only("squashfs"));
    }
}
