//! What a block device is made of, as /sys tells it.

/// How deep devices are stacked that are looked into: a volume on a group on an encrypted device on a loop is four. It bounds a
/// tree that says nonsense.
const DEEPEST: usize = 16;

/// What the kernel says.
pub(crate) trait Kernel {
    /// The text of a file, without the line feed at its end.
    fn read(&self, path: &str) -> Option<String>;
    /// The names in a folder.
    fn entries(&self, path: &str) -> Vec<String>;
    /// Where a link leads.
    fn resolve(&self, path: &str) -> Option<String>;
}

/// What is to be known of a device and all that it is made of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Stack {
    /// The mapped devices that are suspended: who writes to one waits until somebody resumes it.
    pub(crate) suspended: Vec<String>,
    /// The files in which loop devices have their data.
    pub(crate) files: Vec<String>,
}

/// Looks through the device of this number.
pub(crate) fn stack(kernel: &impl Kernel, (major, minor): (u32, u32)) -> Stack {
    let mut stack = Stack::default();
    if let Some(folder) = kernel.resolve(&format!("/sys/dev/block/{major}:{minor}")) {
        look(kernel, &folder, DEEPEST, &mut stack);
    }
    stack
}

fn look(kernel: &impl Kernel, folder: &str, deeper: usize, stack: &mut Stack) {
    if kernel.read(&format!("{folder}/dm/suspended")).as_deref() == Some("1") {
        let name = kernel.read(&format!("{folder}/dm/name"));
        stack.suspended.push(name.unwrap_or_else(|| folder.rsplit('/').next().unwrap_or(folder).to_owned()));
    }
    stack.files.extend(kernel.read(&format!("{folder}/loop/backing_file")));
    // A partition has its disk's folder around its own.
    if deeper > 0 && kernel.read(&format!("{folder}/partition")).is_some() {
        let disk = folder.rsplit_once('/').map_or(folder, |(disk, _)| disk);
        look(kernel, disk, deeper - 1, stack);
    }
    for slave in kernel.entries(&format!("{folder}/slaves")) {
        if deeper > 0
            && let Some(slave) = kernel.resolve(&format!("{folder}/slaves/{slave}"))
        {
            look(kernel, &slave, deeper - 1, stack);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Files by their paths; a link is a file whose text is where it leads.
    #[derive(Default)]
    pub(crate) struct Table(pub(crate) BTreeMap<&'static str, &'static str>);

    impl Kernel for Table {
        fn read(&self, path: &str) -> Option<String> {
            self.0.get(path).map(|text| (*text).to_owned())
        }

        fn entries(&self, path: &str) -> Vec<String> {
            let below = self.0.keys().filter_map(|name| name.strip_prefix(path)?.strip_prefix('/'));
            below.map(|rest| rest.split('/').next().unwrap_or(rest).to_owned()).collect()
        }

        fn resolve(&self, path: &str) -> Option<String> {
            self.read(path)
        }
    }

    #[test]
    fn a_volume_is_looked_through_to_its_file() {
        let table = Table(BTreeMap::from([
            ("/sys/dev/block/253:1", "/sys/devices/virtual/block/dm-1"),
            ("/sys/devices/virtual/block/dm-1/dm/name", "vg-data"),
            ("/sys/devices/virtual/block/dm-1/dm/suspended", "1"),
            ("/sys/devices/virtual/block/dm-1/slaves/loop0p1", "/sys/devices/virtual/block/loop0/loop0p1"),
            ("/sys/devices/virtual/block/loop0/loop0p1/partition", "1"),
            ("/sys/devices/virtual/block/loop0/loop/backing_file", "/srv/disk.img"),
        ]));
        let expected = Stack { suspended: vec!["vg-data".to_owned()], files: vec!["/srv/disk.img".to_owned()] };
        assert_eq!(stack(&table, (253, 1)), expected);
        assert_eq!(stack(&table, (8, 1)), Stack::default());
    }

    #[test]
    fn a_device_made_of_itself_ends() {
        let table = Table(BTreeMap::from([("/sys/dev/block/253:0", "/d"), ("/d/slaves/d", "/d")]));
        assert_eq!(stack(&table, (253, 0)), Stack::default());
    }
}
