//! A freeze of everything, with file systems that stand on one another: on two disks, on a file of another one, twice
//! in the tree, and one that cannot be frozen.

use bulkhead_e2e::Lab;
use serde_json::{Value, json};

/// In the kernel's words: ext4 on a disk's part, xfs on NVMe, ext4 on a volume, ext4 in a file on that xfs, the root.
const FROZEN: [&str; 5] = ["/data/scsi", "/data/nvme", "/data/lvm", "/data/loop", "/var/tmp"];

pub(crate) fn everything(lab: &mut Lab) {
    // What the writers run must be in memory: reading from a frozen root is fine, waiting for it is not the point.
    lab.vm.shell("rm -f /run/*.written");
    assert_eq!(lab.call("guest-fsfreeze-status", Value::Null), "thawed");
    assert_eq!(lab.call("guest-fsfreeze-freeze", Value::Null), 5, "vfat cannot, and the bind mount is not a sixth");
    assert_eq!(lab.call("guest-fsfreeze-status", Value::Null), "frozen");

    for folder in FROZEN {
        let mark = format!("/run/{}.written", folder.replace('/', "-"));
        lab.vm.shell(&format!(
            "(dd if=/dev/zero of={folder}/late bs=4k count=1 conv=fsync && touch {mark}) >/dev/null 2>&1 &"
        ));
    }
    // State D: the kernel has put them to sleep, so they have tried.
    lab.vm.until(r#"[ "$(for pid in $(pidof dd); do grep 'State:.D' /proc/$pid/status; done | wc -l)" = 5 ]"#);
    assert_eq!(lab.vm.try_shell("ls /run/*.written").0, 2, "a write went through");
    lab.vm.shell("echo fine > /data/vfat/note");
    for (command, arguments) in [
        ("guest-file-open", json!({ "path": "/run/x", "mode": "w" })),
        ("guest-get-fsinfo", Value::Null),
        ("guest-exec", json!({ "path": "true" })),
    ] {
        assert_eq!(lab.client.call(command, arguments).class(), "CommandNotFound", "{command}");
    }

    assert_eq!(lab.call("guest-fsfreeze-thaw", Value::Null), 5);
    lab.vm.until("[ $(ls /run/*.written | wc -l) = 5 ]");
    assert_eq!(lab.call("guest-fsfreeze-status", Value::Null), "thawed");

    // One that stands on another, alone.
    let arguments = json!({ "mountpoints": ["/data/loop"] });
    assert_eq!(lab.call("guest-fsfreeze-freeze-list", arguments), 1);
    lab.vm.shell("touch /data/nvme/free; sync -f /data/nvme/free");
    assert_eq!(lab.call("guest-fsfreeze-thaw", Value::Null), 1);
}
