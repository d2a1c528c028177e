//! NVMe as the kernel shows it where a disk may be reached by several controllers, which is its default (nvme_core.multipath):
//! the namespace is a device of the subsystem's, and below each controller is a path to it, which has no device node.

use crate::figures::figure;
use crate::sysfs::{Device, Source};

const FOLDER: &[u8] = b"/sys/devices/virtual/nvme-subsystem/";

/// The folder of the controller that a namespace is behind, or a partition of one: the first with a path to it, else the first.
pub fn controller(source: &impl Source, device: &Device) -> Option<Vec<u8>> {
    let rest = device.folder.strip_prefix(FOLDER)?;
    let mut names = rest.split(|byte| *byte == b'/');
    let (subsystem, namespace) = (names.next()?, str::from_utf8(names.next()?).ok()?);
    let (number, identifier) = numbers(namespace)?;
    let subsystem = [FOLDER, subsystem].concat();
    let mut controllers: Vec<u64> =
        source.entries(&subsystem).iter().filter_map(|name| controller_number(name)).collect();
    controllers.sort_unstable();
    let folder = |controller: &u64| source.resolve(&[&subsystem, format!("/nvme{controller}").as_bytes()].concat());
    let has_path = |controller: &u64, folder: &[u8]| {
        let path = format!("nvme{number}c{controller}n{identifier}");
        source.entries(folder).iter().any(|name| name == path.as_bytes())
    };
    let mut found = controllers.iter().filter_map(|controller| Some((controller, folder(controller)?)));
    let all: Vec<_> = found.by_ref().collect();
    let chosen = all.iter().find(|(controller, folder)| has_path(controller, folder)).or(all.first());
    chosen.map(|(_, folder)| folder.clone())
}

/// Whether this is what the kernel calls a namespace: `nvme0n1`; or a partition of it: `nvme0n1p2`.
pub fn is_namespace(name: &str) -> bool {
    let whole = name.rsplit_once('p').filter(|(_, part)| figure(part).is_some()).map_or(name, |(whole, _)| whole);
    numbers(whole).is_some()
}

/// The two numbers of `nvme1n2`.
fn numbers(name: &str) -> Option<(u64, u64)> {
    let (number, identifier) = name.strip_prefix("nvme")?.split_once('n')?;
    Some((figure(number)?, figure(identifier)?))
}

/// The number of `nvme3`.
fn controller_number(name: &[u8]) -> Option<u64> {
    figure(str::from_utf8(name).ok()?.strip_prefix("nvme")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_known_by_their_names() {
        for name in ["nvme0n1", "nvme10n25", "nvme0n1p1"] {
            assert!(is_namespace(name), "{name}");
        }
        for name in ["", "nvme", "nvme0", "nvme0c0n1", "nvme0n", "nvmen1", "sda", "nvme0n1p", "nvme0n1px", "xnvme0n1"] {
            assert!(!is_namespace(name), "{name}");
        }
    }
}
