//! File systems and disks on a system that pretends: more than anybody has, and some that do not answer.

use bulkhead_fault::House;
use bulkhead_sys::{Errno, Fake, Usage};
use serde_json::{Value, json};

const PCI: &str = "/sys/devices/pci0000:00/0000:00:0a.0";

/// A disk, as the kernel shows it.
fn plug_in(system: &Fake, folder: &str, name: &str, number: &str) {
    let folder = format!("{PCI}/{folder}/{name}");
    let (major, minor) = number.split_once(':').unwrap();
    system.write_system_file(&format!("{folder}/uevent"), format!("MAJOR={major}\nMINOR={minor}\nDEVNAME={name}\n"));
    system.write_system_file(&format!("{folder}/size"), "2048\n");
    system.link_system_file(&format!("/sys/block/{name}"), &folder);
    system.link_system_file(&format!("/sys/dev/block/{number}"), &folder);
}

#[test]
fn a_file_system_that_does_not_answer_has_no_sizes() {
    let system = Fake::default();
    system.mount("/", None);
    system.mount("/hung", None);
    system.link_system_file(&format!("{PCI}/driver"), "/sys/bus/pci/drivers/virtio-pci");
    plug_in(&system, "virtio0/block", "vda", "8:0");
    system.set_usage("/", Ok(Usage { total: 1000, free: 300, available: 250 }));
    system.set_usage("/hung", Err(Errno::ETIMEDOUT));
    let disk = json!({
        "pci-controller": { "domain": 0, "bus": 0, "slot": 10, "function": 0 },
        "bus-type": "virtio", "bus": 0, "target": 0, "unit": 0, "dev": "/dev/vda"
    });
    let expected = json!([
        { "name": "8:1", "mountpoint": "/hung", "type": "ext4", "disk": [] },
        {
            "name": "vda", "mountpoint": "/", "type": "ext4", "disk": [disk],
            "used-bytes": 700, "total-bytes": 950, "total-bytes-privileged": 1000
        }
    ]);
    assert_eq!(House::new(&system).success("guest-get-fsinfo"), expected);
}

/// What is mounted over it is another: its sizes would be lies, and trimming it was not asked for.
#[test]
fn a_file_system_that_is_hidden_has_no_sizes_and_is_not_trimmed() {
    let system = Fake::default();
    system.mount("/", None);
    system.mount("/hidden", None);
    for mount_point in ["/", "/hidden"] {
        system.set_usage(mount_point, Ok(Usage { total: 1000, free: 300, available: 250 }));
    }
    system.hide("/hidden");
    system.install("/etc/hook", Ok(()));
    let mut house = House::new(&system);
    let told = house.success("guest-get-fsinfo");
    let sizes = told.as_array().expect("a list").iter().map(|it| (&it["mountpoint"], &it["total-bytes-privileged"]));
    assert_eq!(sizes.collect::<Vec<_>>(), [(&json!("/hidden"), &Value::Null), (&json!("/"), &json!(1000))]);
    let trimmed = house.success("guest-fstrim");
    let expected = json!([
        { "path": "/hidden", "error": "failed to open: another file system is mounted over it" },
        { "path": "/", "trimmed": 1 << 20, "minimum": 0 }
    ]);
    assert_eq!(trimmed["paths"], expected);
    assert_eq!(house.success("guest-fsfreeze-freeze"), 1);
    assert_eq!(system.frozen(), ["/"]);
}

/// The mount table names one of its devices at best.
#[test]
fn a_btrfs_is_on_all_its_devices() {
    let system = Fake::default();
    system.set_mountinfo("30 1 0:30 /@ / rw - btrfs /dev/root rw\n31 1 0:31 / /other rw - btrfs /dev/gone rw\n");
    system.set_btrfs("/", [0xAB; 16]);
    for (name, number) in [("vda", "8:0"), ("vdb", "8:16"), ("vdc", "8:32")] {
        plug_in(&system, "virtio0/block", name, number);
    }
    let folder = "/sys/fs/btrfs/abababab-abab-abab-abab-abababababab/devices";
    for name in ["vda", "vdb"] {
        system.link_system_file(&format!("{folder}/{name}"), &format!("{PCI}/virtio0/block/{name}"));
    }
    let told = House::new(&system).success("guest-get-fsinfo");
    let names =
        |it: &Value| it["disk"].as_array().expect("a list").iter().map(|disk| disk["dev"].clone()).collect::<Vec<_>>();
    assert_eq!((names(&told[0]), names(&told[1])), (vec![], vec![json!("/dev/vda"), json!("/dev/vdb")]));
    assert_eq!((&told[0]["name"], &told[1]["name"]), (&json!("0:31"), &json!("vda")));
}

/// The border has words for the usual reasons only.
#[test]
fn an_unusual_reason_is_told_in_words() {
    for (errno, words) in
        [(Errno::EUCLEAN, "Structure needs cleaning"), (Errno::ENOTCONN, "Transport endpoint is not connected")]
    {
        let system = Fake::default();
        system.mount("/data", Some(errno));
        system.install("/etc/hook", Ok(()));
        let failure = House::new(&system).failure("guest-fsfreeze-freeze");
        assert_eq!(failure, format!("failed to freeze /data: {words}"));
    }
}

#[test]
fn a_mount_table_of_nearly_the_largest_size_is_told() {
    let system = Fake::default();
    for number in 0..17_000 {
        system.mount(format!("/{number:0>190}").leak(), None);
    }
    let told = House::new(&system).success("guest-get-fsinfo");
    let told = told.as_array().expect("a list");
    assert_eq!((told.len(), &told[0]["name"]), (17_000, &json!("8:16999")));
}

#[test]
fn thousands_of_disks_are_told() {
    let system = Fake::default();
    for number in 0..2_000 {
        plug_in(&system, "virtio0/block", &format!("vd{number}"), &format!("254:{number}"));
    }
    let told = House::new(&system).success("guest-get-disks");
    assert_eq!(told.as_array().map(Vec::len), Some(2_000));
}

#[test]
fn a_disk_that_does_not_tell_its_health_is_told_without() {
    let system = Fake::default();
    system.link_system_file(&format!("{PCI}/driver"), "/sys/bus/pci/drivers/nvme");
    for (number, answer) in [Ok(vec![1; 512]), Err(Errno::ETIMEDOUT), Ok(vec![1; 100])].into_iter().enumerate() {
        plug_in(&system, "nvme/nvme0", &format!("nvme0n{number}"), &format!("259:{number}"));
        system.set_nvme_health(&format!("nvme0n{number}"), answer);
    }
    let told = House::new(&system).success("guest-get-disks");
    let healths: Vec<&Value> = told.as_array().expect("a list").iter().rev().map(|disk| &disk["smart"]).collect();
    assert_eq!((&healths[0]["type"], &healths[0]["temperature"]), (&json!("nvme"), &json!(257)));
    assert_eq!(healths[1..], [&Value::Null; 2]);
}
