//! Which system this is, where it thinks it is, and who is there.

use bulkhead_e2e::{Lab, find, list, names};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) fn osinfo(lab: &mut Lab) {
    let reply = lab.call("guest-get-osinfo", Value::Null);
    for (member, command) in [("kernel-release", "uname -r"), ("kernel-version", "uname -v"), ("machine", "uname -m")] {
        assert_eq!(reply[member], lab.line(command));
    }
    for member in ["id", "name", "pretty-name", "version", "version-id", "variant", "variant-id"] {
        let variable = member.replace('-', "_").to_uppercase();
        // The file is shell, so the shell reads it.
        let truth = lab.line(&format!(". /etc/os-release; echo \"${{{variable}-}}\""));
        assert_eq!(reply[member].as_str().unwrap_or_default(), truth, "{member}");
    }
    assert_eq!(reply["id"], "debian", "{reply}");
}

pub(crate) fn host_name(lab: &mut Lab) {
    for name in ["another-name", "bulkhead-vm"] {
        lab.vm.shell(&format!("hostnamectl set-hostname {name}"));
        assert_eq!(lab.call("guest-get-host-name", Value::Null), json!({ "host-name": lab.line("uname -n") }));
        assert_eq!(lab.line("uname -n"), name);
    }
}

/// Three zones: one with a name of letters, one with half an hour, one west of Greenwich; then the first again.
pub(crate) fn timezone(lab: &mut Lab) {
    for zone in ["Asia/Kolkata", "America/Lima", "Europe/Berlin"] {
        lab.vm.shell(&format!("timedatectl set-timezone {zone}"));
        let reply = lab.call("guest-get-timezone", Value::Null);
        // A reader of its own: +0530 is five hours and thirty minutes.
        let digits = lab.line("date +%z");
        let [hours, minutes] = [&digits[1..3], &digits[3..5]].map(|number| number.parse::<i64>().unwrap());
        let sign = if digits.starts_with('-') { -1 } else { 1 };
        assert_eq!(reply["offset"], sign * (hours * 3600 + minutes * 60), "{zone}");
        assert_eq!(reply["zone"], lab.line("date +%Z"), "{zone}");
    }
}

pub(crate) fn users(lab: &mut Lab) {
    compare_users(lab, 1);
    // Alice a second time, and Bob: one entry for each person, with the earliest login.
    lab.vm.shell("systemctl start getty@tty2 getty@tty3");
    let reply = compare_users(lab, 3);
    assert_eq!(names(&reply, "user"), ["alice", "bob"].map(str::to_owned).into());
    // Their records stay behind: Debian's login leaves them to a systemd that does not know them. `who` looks for the
    // processes, too, but no other reader of the file does.
    lab.vm.shell("pkill -HUP -t tty2,tty3 sh");
}

/// Waits until there are so many logins, and compares them with the records of `who`'s own file.
fn compare_users(lab: &mut Lab, logins: usize) -> Value {
    // [7] [00175] [tty1] [alice   ] [tty1        ] [                    ] [0.0.0.0        ] [2026-11-22T14:42:31,123456+00:00]
    let records =
        "utmpdump /run/utmp 2>/dev/null | sed -n 's/^\\[7\\] //p' | tr -d '[]' | awk '{ print $3, $NF }' | tr , .";
    lab.vm.until(&format!("[ \"$({records} | wc -l)\" = {logins} ]"));
    let truth =
        lab.vm.shell(&format!("{records} | while read -r name time; do echo $name $(date -d $time +%s.%6N); done"));
    let mut earliest: BTreeMap<&str, f64> = BTreeMap::new();
    for (name, time) in truth.lines().map(|line| line.split_once(' ').unwrap()) {
        let time = time.parse().unwrap();
        earliest.entry(name).and_modify(|earlier| *earlier = earlier.min(time)).or_insert(time);
    }

    let reply = lab.call("guest-get-users", Value::Null);
    assert_eq!(list(&reply).len(), earliest.len(), "{reply}, {truth}");
    for (name, truth) in earliest {
        let time = find(&reply, "user", name)["login-time"].as_f64().unwrap();
        assert!((time - truth).abs() < 0.001, "{name}: {time} instead of {truth}");
    }
    reply
}
