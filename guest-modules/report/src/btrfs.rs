//! The devices of a btrfs: /sys/fs/btrfs has a folder for each that is mounted, named as its identity, with links to them.

use crate::sysfs::{Device, Source};

const FOLDER: &str = "/sys/fs/btrfs";

/// Those of the file system whose identity `id` tells. If that is not to be had, of the one that `named`, the device in the mount
/// table, is a part of.
pub fn devices(source: &impl Source, id: impl Fn() -> Option<Vec<u8>>, named: Option<&Device>) -> Vec<Device> {
    match id().and_then(|id| uuid(&id)) {
        Some(uuid) => in_folder(source, uuid.as_bytes()),
        None => {
            let Some(named) = named else { return Vec::new() };
            let all = source.entries(FOLDER.as_bytes()).into_iter().map(|uuid| in_folder(source, &uuid));
            all.into_iter().find(|devices| devices.contains(named)).unwrap_or_default()
        }
    }
}

fn in_folder(source: &impl Source, uuid: &[u8]) -> Vec<Device> {
    let folder = [FOLDER.as_bytes(), b"/", uuid, b"/devices"].concat();
    let device = |name: Vec<u8>| Device::at(source, &[&folder, b"/".as_slice(), &name].concat());
    source.entries(&folder).into_iter().filter_map(device).collect()
}

/// Sixteen bytes as the kernel writes them: `6f7a4e1c-0000-4000-8000-000000000001`.
fn uuid(id: &[u8]) -> Option<String> {
    let digits: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let groups = [digits.get(..8)?, digits.get(8..12)?, digits.get(12..16)?, digits.get(16..20)?, digits.get(20..)?];
    (digits.len() == 32).then(|| groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_has_sixteen_bytes() {
        let id: Vec<u8> = (0..16).map(|byte| byte * 0x11).collect();
        assert_eq!(uuid(&id).as_deref(), Some("00112233-4455-6677-8899-aabbccddeeff"));
        for length in [0, 1, 8, 15] {
            assert_eq!(uuid(&id[..length]), None, "{length}");
        }
        assert_eq!(uuid(&[0; 17]), None);
    }
}
