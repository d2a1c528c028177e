//! Which system files a module may read at all. The owner's policy can narrow it and not widen it: what is not listed here,
//! no built-in command needs, and a vendor's gets only what tells of the machine, of no person and of no process.

use Access::{Entries, Read, Resolve};
use bulkhead_policy::{matches, overlap};

/// What may be done with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read the file.
    Read,
    /// List the names in the folder.
    Entries,
    /// Ask where the link leads.
    Resolve,
}

/// Module, what it may do, with which path, and the command that needs it.
///
/// A path is compared component by component. In a component, one `*` stands for any text, an empty one too; a component
/// `...` stands for one or more of any name. The folders of devices below /sys/devices are as deep as the hardware is
/// nested, so that only their files' names can be listed; nowhere else is `...` allowed.
const READABLE: &[(&str, Access, &str, &str)] = &[
    ("report", Read, "/etc/os-release", "guest-get-osinfo"),
    ("report", Read, "/usr/lib/os-release", "guest-get-osinfo"),
    ("report", Read, "/etc/localtime", "guest-get-timezone"),
    ("report", Read, "/usr/share/zoneinfo/*", "guest-get-timezone"),
    ("report", Read, "/usr/share/zoneinfo/*/*", "guest-get-timezone"),
    ("report", Read, "/usr/share/zoneinfo/*/*/*", "guest-get-timezone"),
    ("report", Read, "/usr/share/zoneinfo/*/*/*/*", "guest-get-timezone"),
    ("report", Read, "/var/run/utmp", "guest-get-users"),
    // A folder of small files, one for each session of logind.
    ("report", Entries, "/run/systemd/sessions", "guest-get-users"),
    ("report", Read, "/run/systemd/sessions/*", "guest-get-users"),
    ("report", Read, "/proc/stat", "guest-get-cpustats"),
    ("report", Read, "/proc/diskstats", "guest-get-diskstats"),
    ("report", Entries, "/sys/devices/system/cpu", "guest-get-vcpus"),
    ("report", Read, "/sys/devices/system/cpu/cpu*/online", "guest-get-vcpus"),
    ("report", Entries, "/sys/devices/system/memory", "guest-get-memory-blocks"),
    ("report", Read, "/sys/devices/system/memory/memory*/state", "guest-get-memory-blocks"),
    ("report", Read, "/sys/devices/system/memory/memory*/removable", "guest-get-memory-blocks"),
    ("report", Read, "/sys/devices/system/memory/block_size_bytes", "guest-get-memory-block-info"),
    // The network.
    ("report", Read, "/proc/net/dev", "guest-network-get-interfaces"),
    ("report", Read, "/proc/net/route", "guest-network-get-route"),
    ("report", Read, "/proc/net/ipv6_route", "guest-network-get-route"),
    // Disks.
    ("report", Resolve, "/sys/dev/block/*", "guest-get-fsinfo"),
    ("report", Entries, "/sys/block", "guest-get-disks"),
    ("report", Resolve, "/sys/block/*", "guest-get-disks"),
    // Partitions below a disk, ports below a controller, what a volume is made of.
    ("report", Entries, "/sys/devices/...", "guest-get-disks"),
    ("report", Read, "/sys/devices/.../uevent", "guest-get-disks"),
    ("report", Read, "/sys/devices/.../size", "guest-get-disks"),
    ("report", Read, "/sys/devices/.../dm/name", "guest-get-disks"),
    ("report", Resolve, "/sys/devices/.../slaves/*", "guest-get-disks"),
    ("report", Resolve, "/sys/devices/.../driver", "guest-get-disks"),
    ("report", Read, "/run/udev/data/b*", "guest-get-disks"),
    // The controllers of NVMe disks with several paths.
    ("report", Resolve, "/sys/devices/virtual/nvme-subsystem/*/nvme*", "guest-get-disks"),
    // File systems on several devices.
    ("report", Entries, "/sys/fs/btrfs", "guest-get-fsinfo"),
    ("report", Entries, "/sys/fs/btrfs/*/devices", "guest-get-fsinfo"),
    ("report", Resolve, "/sys/fs/btrfs/*/devices/*", "guest-get-fsinfo"),
    // Who stands behind a refusal of systemd's.
    ("power", Entries, "/run/systemd/inhibit", "guest-shutdown"),
    ("power", Read, "/run/systemd/inhibit/*", "guest-shutdown"),
    ("power", Resolve, "/etc/systemd/system/*.target", "guest-shutdown"),
    ("power", Resolve, "/run/systemd/system/*.target", "guest-shutdown"),
    // What the hardware clock shows.
    ("time", Read, "/etc/adjtime", "guest-set-time"),
    ("time", Read, "/etc/localtime", "guest-set-time"),
    // Looking before acting.
    ("hotplug", Entries, "/sys/devices/system/cpu/cpu*", "guest-set-vcpus"),
    ("hotplug", Read, "/sys/devices/system/cpu/cpu*/online", "guest-set-vcpus"),
    ("hotplug", Entries, "/sys/devices/system/memory", "guest-set-memory-blocks"),
    ("hotplug", Entries, "/sys/devices/system/memory/memory*", "guest-set-memory-blocks"),
    ("hotplug", Read, "/sys/devices/system/memory/memory*/state", "guest-set-memory-blocks"),
];

/// What modules of vendors may do besides all that is listed for others: nobody knows beforehand what their commands are about.
/// Left out is what belongs to processes and people (`/proc/1/environ`), what is changed by being read (`/proc/kmsg`), and what
/// helps to attack the kernel (`/proc/kallsyms`). Which of these a module gets the owner says, module by module.
const FOR_VENDORS: &[(Access, &str)] = &[
    (Read, "/proc/cmdline"),
    (Read, "/proc/cpuinfo"),
    (Read, "/proc/devices"),
    (Read, "/proc/filesystems"),
    (Read, "/proc/interrupts"),
    (Read, "/proc/loadavg"),
    (Read, "/proc/mdstat"),
    (Read, "/proc/meminfo"),
    (Read, "/proc/modules"),
    (Read, "/proc/net/*"),
    (Read, "/proc/partitions"),
    (Read, "/proc/pressure/*"),
    (Read, "/proc/softirqs"),
    (Read, "/proc/swaps"),
    (Read, "/proc/sys/kernel/*"),
    (Read, "/proc/sys/net/..."),
    (Read, "/proc/sys/vm/*"),
    (Read, "/proc/uptime"),
    (Read, "/proc/version"),
    (Read, "/proc/vmstat"),
    (Read, "/sys/block/..."),
    (Entries, "/sys/block/..."),
    (Resolve, "/sys/block/..."),
    (Read, "/sys/class/..."),
    (Entries, "/sys/class/..."),
    (Resolve, "/sys/class/..."),
    (Read, "/sys/dev/block/..."),
    (Entries, "/sys/dev/block/..."),
    (Read, "/sys/devices/..."),
    (Resolve, "/sys/devices/..."),
    (Read, "/sys/fs/cgroup/..."),
    (Read, "/sys/kernel/mm/..."),
];

/// Module, a variable of the agent's own environment, and the command that needs the file that the owner names with it.
/// A colon before the name does not count (`TZ`).
const NAMED_BY_THE_OWNER: &[(&str, &str, &str)] =
    &[("report", "QGA_OS_RELEASE", "guest-get-osinfo"), ("report", "TZ", "guest-get-timezone")];

/// Whether `module` may do it with `path`.
pub(crate) fn is_listed(module: &str, access: Access, path: &[u8]) -> bool {
    readable_by(module).any(|(granted, pattern)| granted == access && matches(pattern, path))
}

/// What is listed for `module`.
fn readable_by(module: &str) -> impl Iterator<Item = (Access, &'static str)> {
    let vendors = is_vendors(module);
    let built_in = READABLE.iter().filter(move |(name, ..)| vendors || *name == module);
    let others = FOR_VENDORS.iter().filter(move |_| vendors).copied();
    built_in.map(|(_, access, pattern, _)| (*access, *pattern)).chain(others)
}

/// Whether a module of this name is a vendor's. They are named by domain, and no built-in module's name has a dot.
fn is_vendors(module: &str) -> bool {
    module.contains('.')
}

/// Whether there are paths of this pattern with which `module` may do anything, if the policy permits it. A file that the
/// owner names in a variable of the agent's environment is not known here.
pub fn is_ever_readable(module: &str, pattern: &str) -> bool {
    pattern == "*" || readable_by(module).any(|(_, readable)| overlap(readable, pattern))
}

/// Whether `path` is a file that the owner named for `module` in a variable of the agent's environment.
pub(crate) fn is_named(module: &str, path: &[u8], environment: impl Fn(&str) -> Option<Vec<u8>>) -> bool {
    let names = |value: Vec<u8>| value.strip_prefix(b":").unwrap_or(&value) == path;
    path.starts_with(b"/")
        && NAMED_BY_THE_OWNER
            .iter()
            .any(|(name, variable, _)| *name == module && environment(variable).is_some_and(names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_catalog::commands::find;
    use bulkhead_catalog::modules::is_built_in;

    #[test]
    fn each_line_names_its_command_and_stands_once() {
        for (index, line) in READABLE.iter().enumerate() {
            let (module, _, path, command) = line;
            assert!(find(command).is_some(), "{path}: {command}");
            assert!(is_built_in(module), "{module}");
            assert!(!READABLE[..index].iter().any(|other| other == line), "{path} stands twice");
        }
        for (_, variable, command) in NAMED_BY_THE_OWNER {
            assert!(find(command).is_some(), "{variable}: {command}");
        }
    }

    #[test]
    fn only_the_folders_of_devices_are_of_any_depth() {
        for (_, _, pattern, _) in READABLE {
            let parts: Vec<_> = pattern.split('/').collect();
            assert!(matches(pattern, pattern.replace('*', "x").as_bytes()), "{pattern} is plain");
            let dots: Vec<_> = (0..parts.len()).filter(|index| parts[*index] == "...").collect();
            assert!(dots.is_empty() || (dots == [3] && pattern.starts_with("/sys/devices/...")), "{pattern}");
        }
    }

    #[test]
    fn a_path_that_is_not_plain_is_on_no_list() {
        assert!(is_listed("report", Read, b"/proc/stat"));
        for path in
            ["proc/stat", "/proc/./stat", "/proc//stat", "/proc/stat/", "/proc/../proc/stat", "/proc/stat\0", ""]
        {
            assert!(!is_listed("report", Read, path.as_bytes()), "{path:?}");
        }
        assert!(!is_listed("report", Read, b"/usr/share/zoneinfo/../../etc"));
        assert!(!is_listed("report", Read, b"/sys/devices/system/cpu/cpu0/../online"));
    }

    #[test]
    fn the_list_is_by_module_and_by_deed() {
        assert!(is_listed("report", Entries, b"/sys/devices/system/cpu"));
        assert!(!is_listed("report", Read, b"/sys/devices/system/cpu"));
        assert!(!is_listed("report", Read, b"/etc/shadow"));
        assert!(!is_listed("hotplug", Read, b"/proc/stat"));
        assert!(!is_listed("core", Read, b"/proc/stat"));
    }

    #[test]
    fn a_vendors_module_reads_of_the_machine_and_of_nobody() {
        let vendors = "com.example.backup";
        for path in
            ["/proc/net/route", "/proc/stat", "/sys/devices/virtual/block/loop0/loop/backing_file", "/proc/meminfo"]
        {
            assert!(is_listed(vendors, Read, path.as_bytes()), "{path}");
        }
        assert!(is_listed(vendors, Resolve, b"/sys/dev/block/8:0") && is_listed(vendors, Entries, b"/sys/class/net"));
        for path in
            ["/etc/shadow", "/proc/1/environ", "/proc/self/mem", "/proc/kmsg", "/proc/kallsyms", "/sys/kernel/debug/x"]
        {
            assert!(!is_listed(vendors, Read, path.as_bytes()), "{path}");
        }
        assert!(is_ever_readable(vendors, "/proc/net/route") && !is_ever_readable(vendors, "/etc/shadow"));
        assert!(!is_listed("report", Read, b"/proc/meminfo"), "and no other module does");
    }

    #[test]
    fn a_star_stays_in_its_component() {
        assert!(is_listed("report", Read, b"/sys/devices/system/cpu/cpu17/online"));
        assert!(!is_listed("report", Read, b"/sys/devices/system/cpu/cpu1/x/online"));
        assert!(!is_listed("report", Read, b"/sys/devices/system/cpu/xcpu1/online"));
    }

    #[test]
    fn the_owner_names_files_in_the_environment() {
        let environment = |name: &str| match name {
            "QGA_OS_RELEASE" => Some(b"/opt/../release".to_vec()),
            "TZ" => Some(b":/opt/zone".to_vec()),
            _ => None,
        };
        assert!(is_named("report", b"/opt/../release", environment));
        assert!(is_named("report", b"/opt/zone", environment));
        assert!(!is_named("report", b":/opt/zone", environment));
        assert!(!is_named("report", b"/opt", environment));
        assert!(!is_named("hotplug", b"/opt/zone", environment));
        assert!(!is_named("report", b"relative", |_| Some(b"relative".to_vec())));
    }

    #[test]
    fn a_pattern_that_is_never_readable_is_known() {
        assert!(is_ever_readable("report", "/proc/*") && is_ever_readable("hotplug", "*"));
        assert!(!is_ever_readable("report", "/etc/shadow") && !is_ever_readable("hotplug", "/proc/stat"));
    }
}
