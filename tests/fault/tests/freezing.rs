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
    let policy = std::rc::Rc::new(bulkhead_host::owner::profile("full"));
    let gate = bulkhead_gate::Gate::new(Box::new(system.clone()), None, policy);
    gate.freeze("filesystem", b"/data").expect("somebody freezes /data");
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

/// Containers leak mounts. The host reads a table of up to 4 MiB, so a module must be able to hold one.
#[test]
fn a_mount_table_of_nearly_the_largest_size_is_read() {
    let system = Fake::default();
    system.install("/etc/hook", Ok(()));
    for number in 0..17_000 {
        system.mount(format!("/{number:0>190}").leak(), None);
    }
    let mut house = House::new(&system);
    let nothing = r#"{"execute":"guest-fsfreeze-freeze-list","arguments":{"mountpoints":["/none"]}}"#;
    assert_eq!(house.ask(nothing), Some(json!({"return": 0})));
}
