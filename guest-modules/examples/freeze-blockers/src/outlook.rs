//! Which file systems a freeze takes, in which order, and what is in its way.

use crate::device::{self, Kernel};
use crate::kind;
use crate::schema::{FreezeOutlook, FreezeRemark};
use bulkhead_module::mountinfo::{Mount, on_disks};

/// What would become of a freeze of what is mounted so. `block_device` knows the number of a device by its path.
///
/// The agent freezes each file system on a disk once, the one that was mounted last first: what lies in a file of another
/// file system was most often mounted after it.
pub(crate) fn of(
    table: Vec<Mount>,
    block_device: impl Fn(&[u8]) -> Option<(u32, u32)>,
    kernel: &impl Kernel,
) -> FreezeOutlook {
    let mut left_out = Vec::new();
    for mount in &table {
        if let Some(why) = kind::left_out(&text(&mount.kind)) {
            left_out.push(remark(mount, why.to_owned()));
        }
    }
    let takes_part = |mount: &Mount| {
        let kind = text(&mount.kind);
        kind::left_out(&kind).is_none() && !kind::is_read_only(&kind)
    };
    let mut order = on_disks(table.clone(), block_device);
    order.retain(takes_part);
    order.reverse();
    let mut blockers = Vec::new();
    for (position, mount) in order.iter().enumerate() {
        let stack = device::stack(kernel, mount.device);
        let suspended = stack.suspended.iter().map(|name| {
            format!(
                "the device {name} is suspended: the freeze waits until somebody resumes it (dmsetup resume {name})"
            )
        });
        let files = stack.files.iter().filter_map(|file| in_the_way(file, &table, &order[..position]));
        blockers.extend(suspended.chain(files).map(|why| remark(mount, why)));
    }
    FreezeOutlook { freezes: order.iter().map(|mount| text(&mount.mount_point)).collect(), left_out, blockers }
}

/// Why a file system whose disk is this file would block. `before` are those that are frozen by then.
fn in_the_way(file: &str, table: &[Mount], before: &[Mount]) -> Option<String> {
    let below = below(file, table)?;
    let (point, kind) = (text(&below.mount_point), text(&below.kind));
    if kind::depends_on_others(&kind) {
        return Some(format!(
            "its disk is the file {file} on {point} ({kind}): the freeze waits as long as that does not answer"
        ));
    }
    before.iter().any(|mount| mount.device == below.device).then(|| {
        format!("its disk is the file {file} on {point}, which is frozen before it: the freeze waits for ever")
    })
}

/// The file system on which a file lies: of those mounted above it the nearest, and of several there the last.
fn below<'a>(file: &str, table: &'a [Mount]) -> Option<&'a Mount> {
    let holds = |mount: &&Mount| {
        let point = text(&mount.mount_point);
        point == "/" || file.strip_prefix(point.as_str()).is_some_and(|rest| rest.starts_with('/'))
    };
    table.iter().filter(holds).max_by_key(|mount| mount.mount_point.len())
}

fn remark(mount: &Mount, reason: String) -> FreezeRemark {
    FreezeRemark { mountpoint: text(&mount.mount_point), r#type: text(&mount.kind), reason }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::tests::Table;
    use bulkhead_module::mountinfo;
    use std::collections::BTreeMap;

    fn mounts(table: &str) -> Vec<Mount> {
        mountinfo::parse(table.as_bytes())
    }

    #[test]
    fn a_file_lies_on_the_nearest_mount() {
        let table = mounts("1 0 8:1 / / rw - ext4 a rw\n2 1 8:2 / /srv rw - xfs b rw\n3 1 8:3 / /sr rw - xfs c rw\n");
        let device = |file: &str| below(file, &table).map(|mount| mount.device);
        assert_eq!(device("/srv/disk.img"), Some((8, 2)));
        assert_eq!(device("/srvx"), Some((8, 1)));
    }

    #[test]
    fn only_the_wrong_order_blocks() {
        let kernel = Table(BTreeMap::from([("/sys/dev/block/7:0", "/l"), ("/l/loop/backing_file", "/srv/disk.img")]));
        let root = "1 0 8:1 / / rw - ext4 a rw\n";
        let (srv, image) = ("2 1 8:2 / /srv rw - xfs b rw\n", "3 1 7:0 / /mnt rw - ext4 c rw\n");
        let blockers = |table: String| of(mounts(&table), |_| None, &kernel).blockers.len();
        assert_eq!(blockers(format!("{root}{srv}{image}")), 0, "mounted later, frozen earlier");
        assert_eq!(blockers(format!("{root}{image}{srv}")), 1);
    }
}
