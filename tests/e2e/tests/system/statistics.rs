//! Load and counters, as the kernel's own files show them. They move, so the agent's look lies between two of ours.

use bulkhead_e2e::{Lab, find, list, names, text};
use serde_json::Value;

pub(crate) fn load(lab: &mut Lab) {
    let look = |lab: &mut Lab| -> Vec<f64> {
        let line = lab.line("cut -d ' ' -f 1-3 /proc/loadavg");
        line.split(' ').map(|number| number.parse().unwrap()).collect()
    };
    let before = look(lab);
    let reply = lab.call("guest-get-load", Value::Null);
    let after = look(lab);
    for (at, member) in ["load1m", "load5m", "load15m"].into_iter().enumerate() {
        let value = reply[member].as_f64().unwrap();
        // The file has two digits. A look every five seconds makes the average go one way between two of ours.
        let (low, high) = (before[at].min(after[at]) - 0.011, before[at].max(after[at]) + 0.011);
        assert!((low..=high).contains(&value), "{member}: {value} is not in {low}..={high}");
    }
    assert!(reply["load1m"].as_f64().unwrap() > 0.0, "a machine that has just booted had work: {reply}");
}

pub(crate) fn processors(lab: &mut Lab) {
    let look = |lab: &mut Lab| -> Vec<Vec<i64>> {
        let lines = lab.vm.shell("grep '^cpu[0-9]' /proc/stat | sed 's/^cpu//'");
        lines.lines().map(|line| line.split(' ').map(|number| number.parse().unwrap()).collect()).collect()
    };
    let before = look(lab);
    let reply = lab.call("guest-get-cpustats", Value::Null);
    let after = look(lab);
    assert_eq!((list(&reply).len(), before.len()), (2, 2), "{reply}");

    let columns = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guestnice"];
    for (found, (before, after)) in list(&reply).iter().zip(before.iter().zip(&after)) {
        assert_eq!(found["type"], "linux");
        assert_eq!(found["cpu"], before[0]);
        for (at, member) in columns.into_iter().enumerate() {
            let value = found[member].as_i64().unwrap();
            // The kernel counts ticks of ten milliseconds, the agent says milliseconds. Idle time may step back a tick.
            let (low, high) = (before[at + 1] * 10 - 10, after[at + 1] * 10 + 10);
            assert!((low..=high).contains(&value), "{member}: {value} is not in {low}..={high}");
        }
        assert!(found["user"].as_i64().unwrap() > 0, "{found}");
    }
}

pub(crate) fn disks(lab: &mut Lab) {
    let look = |lab: &mut Lab| -> Vec<Vec<String>> {
        let lines = lab.vm.shell("cat /proc/diskstats");
        lines.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    };
    let before = look(lab);
    let reply = lab.call("guest-get-diskstats", Value::Null);
    let after = look(lab);
    assert_eq!(names(&reply, "name"), before.iter().map(|row| row[2].clone()).collect());
    assert_eq!(list(&reply).len(), before.len(), "each once: {reply}");

    // In the order of the file, from its fourth column on.
    let members = [
        "read-ios",
        "read-merges",
        "read-sectors",
        "read-ticks",
        "write-ios",
        "write-merges",
        "write-sectors",
        "write-ticks",
        "ios-pgr",
        "total-ticks",
        "weight-ticks",
        "discard-ios",
        "discard-merges",
        "discard-sectors",
        "discard-ticks",
        "flush-ios",
        "flush-ticks",
    ];
    for (before, after) in before.iter().zip(&after) {
        let found = find(&reply, "name", &before[2]);
        assert_eq!(found["major"].to_string(), before[0]);
        assert_eq!(found["minor"].to_string(), before[1]);
        for (at, member) in members.into_iter().enumerate() {
            let value = found["stats"][member].as_u64().unwrap_or_else(|| panic!("no {member} in {found}"));
            let [low, high] = [before, after].map(|row| row[at + 3].parse::<u64>().unwrap());
            // What is under way at the moment goes up and down; the rest only grows.
            let fits = member == "ios-pgr" || (low..=high).contains(&value);
            assert!(fits, "{} {member}: {value} is not in {low}..={high}", text(&found["name"]));
        }
    }
    assert!(find(&reply, "name", "vda")["stats"]["read-sectors"].as_u64().unwrap() > 0);
}
