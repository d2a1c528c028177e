//! Freezing on a system that pretends, where file systems refuse and modules break at the wrong moment. Whatever goes
//! wrong, a client that is told "error" finds nothing frozen.

use bulkhead_fault::House;
use bulkhead_sys::{Errno, Fake};
use serde_json::json;

/// Three disks, mounted in this order, and a hook script that is content.
fn system() -> Fake {
    let system = Fake::default();
    for mount_point in ["/", "/data", "/srv"] {
        system.mount(mount_point, None);
    }
    system.install("/etc/hook", Ok(()));
    system
}

#[test]
fn file_systems_freeze_last_mounted_first_and_thaw_first_mounted_first() {
    let system = system();
    let mut house = House::new(&system);
    assert_eq!(house.success("guest-fsfreeze-freeze"), 3);
    assert!(house.is_frozen_on_record());
    assert_eq!(house.success("guest-fsfreeze-status"), "frozen");
    assert_eq!(
        house.failure("guest-fsfreeze-freeze"),
        "Command guest-fsfreeze-freeze has been disabled: the command is not allowed"
    );
    assert_eq!(house.success("guest-fsfreeze-thaw"), 3);
    assert!(!house.is_frozen_on_record());
    assert_eq!(
        system.events(),
        [
            "run /etc/hook freeze",
            "freeze /srv",
            "freeze /data",
            "freeze /",
            "thaw /",
            "thaw /data",
            "thaw /srv",
            "run /etc/hook thaw"
        ]
    );
}

#[test]
fn one_that_refuses_undoes_the_others_and_wakes_the_applications() {
    let system = Fake::default();
    system.mount("/", Some(Errno::EIO));
    system.mount("/data", None);
    system.install("/etc/hook", Ok(()));
    let mut house = House::new(&system);
    assert_eq!(house.failure("guest-fsfreeze-freeze"), "failed to freeze /: Input/output error");
    assert_eq!(system.frozen(), [""; 0]);
    assert!(!house.is_frozen_on_record());
    assert_eq!(
        system.events(),
        ["run /etc/hook freeze", "freeze /data", "freeze /", "thaw /data", "run /etc/hook thaw"]
    );
}

#[test]
fn one_that_cannot_freeze_is_passed_over() {
    let system = system();
    system.mount("/boot/efi", Some(Errno::EOPNOTSUPP));
    let mut house = House::new(&system);
    assert_eq!(house.success("guest-fsfreeze-freeze"), 3);
    assert_eq!(house.success("guest-fsfreeze-thaw"), 3);
}

#[test]
fn if_nothing_can_freeze_nothing_is_frozen() {
    let system = Fake::default();
    system.mount("/boot/efi", Some(Errno::EOPNOTSUPP));
    system.install("/etc/hook", Ok(()));
    let mut house = House::new(&system);
    assert_eq!(house.success("guest-fsfreeze-freeze"), 0);
    assert_eq!(house.success("guest-fsfreeze-status"), "thawed");
    assert_eq!(system.events(), ["run /etc/hook freeze", "freeze /boot/efi", "run /etc/hook thaw"]);
}

#[test]
fn a_module_that_breaks_in_the_middle_leaves_nothing_frozen() {
    let system = system();
    let mut house = House::with_villain(&system, "filesystem", "traps_while_freezing");
    assert_eq!(
        house.failure("guest-fsfreeze-freeze"),
        "The command guest-fsfreeze-freeze failed in module 'filesystem'"
    );
    assert_eq!(system.frozen(), [""; 0]);
    assert!(!house.is_frozen_on_record());
    assert_eq!(
        system.events(),
        ["freeze /data", "freeze /srv", "thaw /srv", "thaw /data", "run /etc/hook thaw"],
        "the host thaws what the module froze, and wakes the applications"
    );
}

#[test]
fn a_file_system_frozen_by_somebody_else_is_left_to_them_and_thawed_on_demand() {
    let system = system();
    let policy = std::rc::Rc::new(bulkhead_broker::policy_files::profile("full"));
    let gate = bulkhead_gate::Gate::new(Box::new(system.clone()), None, policy);
    gate.freeze("filesystem", b"/data", None).expect("somebody freezes /data");
    let mut house = House::new(&system);
    assert_eq!(house.success("guest-fsfreeze-freeze"), 2);
    assert_eq!(house.success("guest-fsfreeze-thaw"), 3);
    assert_eq!(
        house.success("guest-fstrim"),
        json!({"paths": [
            {"path": "/srv", "trimmed": 1_048_576, "minimum": 0},
            {"path": "/data", "trimmed": 1_048_576, "minimum": 0},
            {"path": "/", "trimmed": 1_048_576, "minimum": 0}
        ]})
    );
}

/// A line of the mount table for a file system on a disk of its own, or for one in memory.
fn line(number: usize, device: &str, mount_point: &str) -> String {
    format!("{number} 0 {device} / {mount_point} rw,relatime shared:{number} - ext4 /dev/fake{number} rw\n")
}

/// A table with as many mounts as the kernel allows (fs.mount-max), of which three are on disks: the first, one in the middle, the
/// last. It has 27 MiB.
fn long_table() -> String {
    let name = "kubernetes.io~projected-kube-api-access-".repeat(4);
    let crowd = |range: std::ops::Range<usize>| -> String {
        range.map(|number| line(number, &format!("0:{number}"), &format!("/var/lib/pods/{number}/{name}"))).collect()
    };
    let disks = [("8:0", "/"), ("8:1", "/data"), ("8:2", "/srv")].map(|(device, point)| line(1, device, point));
    [&disks[0], &crowd(2..50_000), &disks[1], &crowd(50_000..100_000), &disks[2]].map(String::as_str).concat()
}

#[test]
fn as_many_mounts_as_the_kernel_allows_are_no_trouble() {
    let system = system();
    system.set_mountinfo(long_table());
    let mut house = House::new(&system);
    assert_eq!(house.success("guest-fsfreeze-freeze"), 3);
    assert_eq!(house.success("guest-fsfreeze-thaw"), 3);
    assert_eq!(system.events()[4..7], ["thaw /", "thaw /data", "thaw /srv"]);
    assert_eq!(house.success("guest-fstrim")["paths"].as_array().map(Vec::len), Some(3));
    assert_eq!(house.success("guest-get-fsinfo").as_array().map(Vec::len), Some(3));
}

#[test]
fn what_was_frozen_thaws_without_a_table() {
    let system = system();
    let mut house = House::new(&system);
    assert_eq!(house.success("guest-fsfreeze-freeze"), 3);
    system.refuse_mountinfo(Errno::EIO);
    assert_eq!(house.success("guest-fsfreeze-thaw"), 3);
    assert_eq!(system.frozen(), [""; 0]);
    assert!(!house.is_frozen_on_record());
    assert_eq!(system.events()[4..], ["thaw /", "thaw /data", "thaw /srv", "run /etc/hook thaw"]);
    let error = "failed to open file '/proc/self/mountinfo': Input/output error";
    assert_eq!(house.failure("guest-fsfreeze-thaw"), error, "nobody knows what others have frozen");
}

#[test]
fn what_is_no_longer_in_the_table_thaws_too() {
    let system = system();
    let mut house = House::new(&system);
    assert_eq!(house.success("guest-fsfreeze-freeze"), 3);
    system.set_mountinfo(line(1, "8:0", "/"));
    assert_eq!(house.success("guest-fsfreeze-thaw"), 3);
    assert_eq!(system.frozen(), [""; 0]);
}

#[test]
fn a_module_that_breaks_while_thawing_leaves_nothing_frozen() {
    let system = system();
    let mut house = House::with_villain(&system, "filesystem", "traps_while_thawing");
    assert_eq!(house.success("guest-fsfreeze-freeze"), 2);
    assert_eq!(house.success("guest-fsfreeze-thaw"), 2, "so many are thawed, by whomever");
    assert_eq!(system.frozen(), [""; 0]);
    assert!(!house.is_frozen_on_record());
    assert_eq!(
        system.events(),
        ["freeze /data", "freeze /srv", "thaw /srv", "thaw /data", "run /etc/hook thaw"],
        "the host thaws what is left, and wakes the applications"
    );
}

#[test]
fn a_module_that_only_says_that_it_thawed_leaves_nothing_frozen() {
    let system = system();
    let mut house = House::with_villain(&system, "filesystem", "thaws_in_words");
    assert_eq!(house.success("guest-fsfreeze-freeze"), 2);
    assert_eq!(house.success("guest-fsfreeze-thaw"), 2);
    assert_eq!(system.frozen(), [""; 0]);
    assert!(!house.is_frozen_on_record());
}

#[test]
fn no_limit_of_the_owners_keeps_file_systems_frozen() {
    let system = system();
    let mut house = House::new(&system);
    assert_eq!(house.success("guest-fsfreeze-freeze"), 3);
    house.set_policy(
        "profile = \"backup\"\n[[limit]]\nmemory = \"64KiB\"\ndeadline = \"1s\"\n\
         [[command]]\nnames = [\"*\"]\nmode = \"deny\"\nfaster-than = { calls = 1, seconds = 3600 }\n",
    );
    for _ in 0..3 {
        assert_eq!(house.success("guest-fsfreeze-status"), "frozen");
    }
    assert_eq!(house.success("guest-fsfreeze-thaw"), 3);
    assert_eq!(system.frozen(), [""; 0]);
    let failed = house.failure("guest-fsfreeze-thaw");
    assert!(failed.contains("failed in module"), "nothing is frozen, so the owner's limits hold: {failed}");
}
