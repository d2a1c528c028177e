//! `system-files`: reading what the system says of itself.

use crate::readable::{Access, is_listed, is_named};
use crate::{Asked, Errno, Refusal};
use bulkhead_border::SystemFiles;
use bulkhead_catalog::Capability;
use bulkhead_policy::Ask;

/// The longest file that is read, in bytes. Files of the kernel grow with the machine: some ten thousand disks, processors
/// or routes fit. It bounds what the agent holds of a file that somebody made large, and leaves the module room beside it.
const FILE_LIMIT: usize = 4 * 1024 * 1024;

/// How many names of one folder are given. The fullest is that of memory blocks, of which a VM with 8 TiB in blocks of
/// 128 MiB has as many; larger ones have larger blocks. It bounds what a folder that never ends costs.
const ENTRIES_LIMIT: usize = 65_536;

/// Links below these lead nowhere else; those below other folders are the owner's, and lead anywhere.
const TREES: &[&[u8]] = &[b"/proc", b"/sys"];

impl SystemFiles for Asked<'_> {
    fn read_system_file(&mut self, path: Vec<u8>) -> Result<Vec<u8>, Refusal<Errno>> {
        self.require(Capability::SystemFiles, &[("files", Ask::Path(&path))])?;
        let system = &self.gate.system;
        if is_named(self.module, &path, |variable| system.environment(variable)) {
            return Ok(system.read_system_file(b"/", &path[1..], FILE_LIMIT)?);
        }
        let (tree, below) = self.listed(Access::Read, &path)?;
        Ok(self.gate.without_excluded(&path, system.read_system_file(tree, below, FILE_LIMIT)?))
    }

    fn system_entries(&mut self, path: Vec<u8>) -> Result<Vec<Vec<u8>>, Refusal<Errno>> {
        self.require(Capability::SystemFiles, &[("files", Ask::Path(&path))])?;
        let (tree, below) = self.listed(Access::Entries, &path)?;
        Ok(self.gate.system.system_entries(tree, below, ENTRIES_LIMIT)?)
    }

    fn resolve_system_link(&mut self, path: Vec<u8>) -> Result<Vec<u8>, Refusal<Errno>> {
        self.require(Capability::SystemFiles, &[("files", Ask::Path(&path))])?;
        let (tree, below) = self.listed(Access::Resolve, &path)?;
        Ok(self.gate.system.resolve_link(tree, below)?)
    }
}

impl Asked<'_> {
    /// The tree that `path` is in and the path below it, if it is on the list of the module.
    fn listed<'p>(&self, access: Access, path: &'p [u8]) -> Result<(&'static [u8], &'p [u8]), Refusal<Errno>> {
        if !is_listed(self.module, access, path) {
            return Err(self.gate.refuse(self.module, Capability::SystemFiles, &[("files", Ask::Path(path))]));
        }
        let below = |tree: &&'static [u8]| Some((*tree, path.strip_prefix(*tree)?.strip_prefix(b"/")?));
        Ok(TREES.iter().find_map(below).unwrap_or((b"/", &path[1..])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Beyond, Gate, Standing, testing};
    use bulkhead_sys::Fake;

    fn gate() -> (Fake, Gate) {
        let fake = Fake::default();
        (fake.clone(), testing::full(&fake))
    }

    fn is_denied<T>(result: &Result<T, Refusal<Errno>>) -> bool {
        matches!(result, Err(Refusal::Denied))
    }

    #[test]
    fn what_is_listed_is_read_and_nothing_else() {
        let (fake, gate) = gate();
        let mut report = gate.asked_by("report");
        fake.write_system_file("/proc/stat", "cpu0");
        fake.write_system_file("/etc/shadow", "root");
        fake.write_system_file("/etc/os-release", "ID=x");
        assert_eq!(report.read_system_file(b"/proc/stat".into()), Ok(b"cpu0".to_vec()));
        assert_eq!(report.read_system_file(b"/etc/os-release".into()), Ok(b"ID=x".to_vec()));
        assert_eq!(report.read_system_file(b"/proc/diskstats".into()), Err(Refusal::Failed(Errno::ENOENT)));
        for path in [b"/etc/shadow".as_slice(), b"/no/such/file", b"", b"/"] {
            assert!(is_denied(&report.read_system_file(path.into())), "whether it is there or not");
        }
        assert!(is_denied(&gate.asked_by("hotplug").read_system_file(b"/proc/stat".into())));
        assert!(is_denied(&gate.asked_by("core").read_system_file(b"/proc/stat".into())));
    }

    #[test]
    fn folders_and_links_have_lists_of_their_own() {
        let (fake, gate) = gate();
        let mut report = gate.asked_by("report");
        fake.write_system_file("/sys/devices/system/cpu/cpu1/online", "1");
        fake.link_system_file("/sys/block/vda", "/sys/devices/virtio/block/vda");
        assert_eq!(report.system_entries(b"/sys/devices/system/cpu".into()), Ok(vec![b"cpu1".to_vec()]));
        assert_eq!(report.resolve_system_link(b"/sys/block/vda".into()), Ok(b"/sys/devices/virtio/block/vda".to_vec()));
        assert!(is_denied(&report.system_entries(b"/etc".into())));
        assert!(is_denied(&gate.asked_by("hotplug").resolve_system_link(b"/sys/block/vda".into())));
    }

    #[test]
    fn the_file_that_the_owner_names_is_for_the_module_that_needs_it() {
        let (fake, gate) = gate();
        fake.set_environment("QGA_OS_RELEASE", "/etc/alt");
        fake.write_system_file("/etc/alt", "ID=alt");
        assert_eq!(gate.asked_by("report").read_system_file(b"/etc/alt".into()), Ok(b"ID=alt".to_vec()));
        assert!(is_denied(&gate.asked_by("hotplug").read_system_file(b"/etc/alt".into())));
        assert!(is_denied(&gate.asked_by("core").read_system_file(b"/etc/alt".into())));
        assert!(is_denied(&gate.asked_by("report").system_entries(b"/etc/alt".into())));
    }

    #[test]
    fn files_are_bounded() {
        let (fake, gate) = gate();
        fake.write_system_file("/proc/stat", vec![b' '; FILE_LIMIT + 1]);
        assert_eq!(
            gate.asked_by("report").read_system_file(b"/proc/stat".into()),
            Err(Refusal::Failed(Errno::EOVERFLOW))
        );
    }

    #[test]
    fn what_is_on_no_list_is_remembered_as_such() {
        let gate = testing::with(
            &Fake::default(),
            "[[permit]]\ncapability = \"system-files\"\nmodules = [\"com.example.x\"]\nfiles = [\"*\"]\nreason = \"x\"\n",
        );
        gate.begin(Standing::default());
        assert!(is_denied(&gate.asked_by("com.example.x").read_system_file(b"/etc/hostname".into())));
        let told = gate.end().list;
        let beyond: Vec<_> = told.iter().map(|it| (it.allowed, it.beyond)).collect();
        assert_eq!(beyond, [(true, None), (false, Some(Beyond::List))]);
        assert!(told[1].permit.as_deref().is_some_and(|permit| permit.contains("/etc/hostname")));
    }

    #[test]
    fn a_policy_narrows_the_list_and_does_not_widen_it() {
        let fake = Fake::default();
        fake.write_system_file("/proc/stat", "cpu0");
        fake.write_system_file("/proc/diskstats", "7 0 loop0");
        fake.write_system_file("/etc/shadow", "root");
        let rules = "[[permit]]\ncapability = \"system-files\"\nmodules = [\"report\"]\n\
                     files = [\"/proc/stat\", \"/etc/*\"]\nreason = \"x\"\n";
        let gate = testing::with(&fake, rules);
        let mut report = gate.asked_by("report");
        assert_eq!(report.read_system_file(b"/proc/stat".into()), Ok(b"cpu0".to_vec()));
        assert!(is_denied(&report.read_system_file(b"/proc/diskstats".into())));
        assert!(is_denied(&report.read_system_file(b"/etc/shadow".into())));
    }
}
