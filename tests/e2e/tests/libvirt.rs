//! libvirt as a real client: what `virsh` makes of the agent's answers, compared with the inside of the VM.

use bulkhead_e2e::{Libvirt, find, list, tests_oracle, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// One VM for all: it takes half a minute to boot.
#[test]
#[ignore = "takes a minute: make e2e"]
fn virsh_reports_and_changes_what_is_in_the_vm() {
    let Some(mut libvirt) = Libvirt::start() else { return };
    file_systems(&mut libvirt);
    information(&mut libvirt);
    addresses(&mut libvirt);
    freeze_and_trim(&mut libvirt);
    processors(&mut libvirt);
    accounts(&mut libvirt);
    clock(&mut libvirt);
    shutdown(&mut libvirt);
}

fn json(libvirt: &mut Libvirt, commands: &str) -> Value {
    serde_json::from_str(&libvirt.backdoor.shell(commands)).expect("the tool prints JSON")
}

/// Mount point, name, type and libvirt's own name of each disk, which it finds by the address that the agent gives.
fn file_systems(libvirt: &mut Libvirt) {
    let table = libvirt.virsh(&["domfsinfo", "bulkhead"]);
    let mut rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    rows.retain(|row| row[0] != "/srv/bound");
    assert_eq!(rows.len(), 6, "{table}");

    let mounts = json(libvirt, "findmnt --json --list --real --output TARGET,FSTYPE");
    for row in &rows {
        assert_eq!(row[2], find(&mounts["filesystems"], "target", row[0])["fstype"], "{table}");
    }
    let oracle = tests_oracle();
    // The description has no NVMe disk, and a loop is on none. The oracle gives no SCSI disk its real address.
    let scsi = if oracle { "" } else { "sda" };
    for (mount, expected) in [("/", "vda"), ("/data/scsi", scsi), ("/data/nvme", ""), ("/data/loop", "")] {
        let row = rows.iter().find(|row| row[0] == mount).unwrap();
        assert_eq!(row.get(3).copied().unwrap_or_default(), expected, "{mount}: {table}");
    }
    let volume = rows.iter().find(|row| row[0] == "/data/lvm").unwrap();
    let disks: BTreeSet<&str> = volume[3].split(',').collect();
    assert_eq!(disks, if oracle { ["vdb"].into() } else { ["sda", "vdb"].into() }, "{table}");
}

fn information(libvirt: &mut Libvirt) {
    let output = libvirt.virsh(&["guestinfo", "bulkhead"]);
    let pairs = output.lines().map(|line| line.split_once(':').expect("a name and a value"));
    let found: BTreeMap<&str, &str> = pairs.map(|(name, value)| (name.trim(), value.trim())).collect();
    for (name, command) in [
        ("hostname", "uname -n"),
        ("os.kernel-release", "uname -r"),
        ("os.machine", "uname -m"),
        ("os.id", ". /etc/os-release; echo $ID"),
        ("os.pretty-name", ". /etc/os-release; echo $PRETTY_NAME"),
        ("timezone.name", "date +%Z"),
        ("timezone.offset", "echo $(($(date -d \"$(date +'%F %T') UTC\" +%s) - $(date +%s)))"),
        ("user.0.name", "who | awk '{ print $1 }'"),
        ("disk.count", "lsblk --noheadings --list --output KNAME | wc -l"),
    ] {
        assert_eq!(found[name], libvirt.backdoor.shell(command).trim(), "{name}");
    }
    let size: u64 = libvirt.backdoor.shell("df -B1 --output=used /data/nvme | tail -n 1").trim().parse().unwrap();
    let number = (0..9).find(|number| found.get(&*format!("fs.{number}.mountpoint")) == Some(&"/data/nvme")).unwrap();
    assert_eq!(found[&*format!("fs.{number}.used-bytes")], size.to_string());
    assert!(found[&*format!("fs.{number}.disk.0.serial")].contains("nvme-0815"));
}

fn addresses(libvirt: &mut Libvirt) {
    let table = libvirt.virsh(&["domifaddr", "bulkhead", "--source", "agent", "--full"]);
    let said: BTreeSet<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    let truth = json(libvirt, "ip -json address");
    let mut expected = BTreeSet::new();
    for interface in list(&truth) {
        let [name, card] = ["ifname", "address"].map(|member| text(&interface[member]).to_owned());
        if list(&interface["addr_info"]).is_empty() {
            expected.insert(format!("{name} {card} N/A N/A"));
        }
        for address in list(&interface["addr_info"]) {
            let family = if address["family"] == "inet" { "ipv4" } else { "ipv6" };
            expected.insert(format!("{name} {card} {family} {}/{}", text(&address["local"]), address["prefixlen"]));
        }
    }
    assert_eq!(said.iter().map(|row| row.join(" ")).collect::<BTreeSet<_>>(), expected);
}

fn freeze_and_trim(libvirt: &mut Libvirt) {
    libvirt.virsh(&["domfsfreeze", "bulkhead"]);
    libvirt
        .backdoor
        .shell("(dd if=/dev/zero of=/data/lvm/late bs=4k count=1 conv=fsync && touch /run/written) >/dev/null 2>&1 &");
    libvirt.backdoor.until("grep 'State:.D' /proc/$(pidof dd)/status");
    assert_eq!(libvirt.backdoor.try_shell("ls /run/written").0, 2, "a write went through a frozen file system");
    libvirt.virsh(&["domfsthaw", "bulkhead"]);
    libvirt.backdoor.until("[ -e /run/written ]");

    libvirt.backdoor.shell("dd if=/dev/urandom of=/data/scsi/waste bs=1M count=16; sync; rm /data/scsi/waste; sync");
    let full = libvirt.disk_usage("scsi");
    libvirt.virsh(&["domfstrim", "bulkhead"]);
    let left = libvirt.disk_usage("scsi");
    assert!(left + (15 << 20) <= full, "{full} bytes before the trim, {left} after it");
}

fn processors(libvirt: &mut Libvirt) {
    for (count, online) in [("1", "0"), ("2", "0-1")] {
        libvirt.virsh(&["setvcpus", "bulkhead", count, "--guest"]);
        assert_eq!(libvirt.backdoor.shell("cat /sys/devices/system/cpu/online").trim(), online);
        let said = libvirt.virsh(&["guestvcpus", "bulkhead"]);
        assert!(said.lines().any(|line| line.split_whitespace().eq(["online", ":", online])), "{said}");
    }
}

fn accounts(libvirt: &mut Libvirt) {
    libvirt.virsh(&["set-user-password", "bulkhead", "alice", "open sesame"]);
    let command = "echo 'open sesame' | setpriv --reuid=bob --regid=bob --clear-groups su alice -c 'id -un'";
    assert!(libvirt.backdoor.shell(command).ends_with("alice\n"));

    let (succeeded, text) = libvirt.try_virsh(&["get-user-sshkeys", "bulkhead", "alice"]);
    assert!(!succeeded && text.contains("No such file or directory"), "{text}");
    let keys = libvirt.file("keys", "ssh-ed25519 AAAA first\nssh-ed25519 BBBB second\n");
    libvirt.virsh(&["set-user-sshkeys", "bulkhead", "alice", "--file", &keys]);
    let file = libvirt.backdoor.shell("grep . /home/alice/.ssh/authorized_keys");
    assert_eq!(file, "ssh-ed25519 AAAA first\nssh-ed25519 BBBB second\n");
    // virsh prints them without anything in between.
    let said = libvirt.virsh(&["get-user-sshkeys", "bulkhead", "alice"]);
    assert!(file.lines().all(|key| said.contains(key)), "{said}");
    libvirt.virsh(&["set-user-sshkeys", "bulkhead", "alice", "--remove", "--file", &keys]);
    assert_eq!(libvirt.backdoor.try_shell("grep . /home/alice/.ssh/authorized_keys"), (1, String::new()));
}

fn clock(libvirt: &mut Libvirt) {
    let now = |libvirt: &mut Libvirt| libvirt.backdoor.shell("date +%s").trim().parse::<i64>().unwrap();
    let before = now(libvirt);
    let said = libvirt.virsh(&["domtime", "bulkhead"]);
    let said: i64 = said.trim_start_matches("Time: ").parse().unwrap();
    assert!((before..=now(libvirt)).contains(&said), "{said}, {before}");

    libvirt.virsh(&["domtime", "bulkhead", "--time", "1700000000"]);
    let set = now(libvirt);
    assert!((1_700_000_000..1_700_000_030).contains(&set), "{set}");
}

fn shutdown(libvirt: &mut Libvirt) {
    libvirt.virsh(&["shutdown", "bulkhead", "--mode", "agent"]);
    let end = Instant::now() + Duration::from_secs(180);
    // The domain is transient: once it is shut off libvirt forgets it.
    while !libvirt.virsh(&["list", "--name"]).is_empty() {
        assert!(Instant::now() < end, "the domain is still there");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(libvirt.console().contains("reboot: Power down"), "{}", libvirt.console());
}
