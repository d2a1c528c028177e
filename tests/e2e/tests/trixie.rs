//! What is otherwise in Debian 13: nobody keeps utmp, hwclock is not installed, and systemd heeds locks and masks for root too.
//! One boot for all of it, for the last check switches the VM off.

use bulkhead_e2e::{Lab, Vm, find, names, tests_oracle};
use serde_json::{Value, json};

const SECOND: i64 = 1_000_000_000;
const WEEK: i64 = 7 * 24 * 3600 * SECOND;

#[test]
fn debian_13() {
    if tests_oracle() {
        println!("skipped: qemu-ga is known to do none of this");
        return;
    }
    let Some(vm) = Vm::system().trixie().start() else { return };
    let mut lab = Lab::new(vm);
    users(&mut lab);
    clock(&mut lab);
    masks(&mut lab);
    locks(&mut lab);
    in_spite_of_a_lock(lab);
}

/// Who is logged in, by logind's own word on its bus.
fn users(lab: &mut Lab) {
    assert_eq!(lab.vm.try_shell("test -e /run/utmp").0, 1, "nobody keeps it");
    let started = "busctl --json=short get-property org.freedesktop.login1 \
                   \"$(busctl --json=short call org.freedesktop.login1 /org/freedesktop/login1 \
                   org.freedesktop.login1.Manager GetSession s \"$(loginctl --no-legend list-sessions | \
                   awk '$3 == \"alice\" && $6 == \"user\" { print $1; exit }')\" | sed 's/.*\\[\"//; s/\".*//')\" \
                   org.freedesktop.login1.Session Timestamp";
    let truth = lab.json(started)["data"].as_f64().unwrap() / 1e6;
    let reply = lab.call("guest-get-users", Value::Null);
    assert_eq!(names(&reply, "user"), ["alice".to_owned()].into(), "and not her service manager: {reply}");
    let time = find(&reply, "user", "alice")["login-time"].as_f64().unwrap();
    assert!((time - truth).abs() < 0.001, "{time} instead of {truth}");

    // Alice a second time, and Bob: one entry for each person, with the earliest login.
    lab.vm.shell("systemctl start getty@tty2 getty@tty3");
    lab.vm.until("loginctl --no-legend list-sessions | grep -q 'bob .*user .*tty3'");
    lab.vm.until("loginctl --no-legend list-sessions | grep -q 'alice .*user .*tty2'");
    let reply = lab.call("guest-get-users", Value::Null);
    assert_eq!(names(&reply, "user"), ["alice", "bob"].map(str::to_owned).into());
    assert_eq!(find(&reply, "user", "alice")["login-time"].as_f64(), Some(time), "the earliest");
    lab.vm.shell("loginctl terminate-user bob");
    lab.vm.until("! loginctl --no-legend list-sessions | grep -q bob");
    let reply = lab.call("guest-get-users", Value::Null);
    assert_eq!(names(&reply, "user"), ["alice".to_owned()].into());
}

/// How far the clock on the board is ahead of the system's, in seconds.
fn ahead(lab: &mut Lab) -> i64 {
    lab.number("echo $(( $(cat /sys/class/rtc/rtc0/since_epoch) - $(date +%s) ))")
}

/// Without hwclock, in UTC and in local time.
fn clock(lab: &mut Lab) {
    assert_eq!(lab.vm.try_shell("command -v hwclock || test -e /sbin/hwclock").0, 1, "it is not installed");
    // Berlin is an hour ahead of UTC, in summer two.
    for (adjtime, local) in [("rm -f /etc/adjtime", false), ("printf '0.0 0 0.0\\n0\\nLOCAL\\n' >/etc/adjtime", true)] {
        lab.vm.shell(adjtime);
        let expected = if local { lab.number("date +%z") / 100 * 3600 } else { 0 };
        let wanted = lab.number("date +%s%N") - WEEK;
        lab.call("guest-set-time", json!({ "time": wanted }));
        let set = lab.number("date +%s%N");
        assert!((wanted..wanted + 60 * SECOND).contains(&set), "{set} instead of {wanted}");
        let now = ahead(lab);
        assert!((now - expected).abs() <= 1, "the board's clock is {now} s ahead, not {expected}");

        // Without an argument the board's clock wins: the system's has gone wrong.
        lab.vm.shell("date -s '+3 hours'");
        lab.call("guest-set-time", Value::Null);
        let now = ahead(lab);
        assert!((now - expected).abs() <= 1, "the board's clock is {now} s ahead, not {expected}");
        let back = lab.number("date +%s%N") + WEEK;
        lab.call("guest-set-time", json!({ "time": back }));
    }
    lab.vm.shell("rm /etc/adjtime");
}

/// What a command that must fail tells its client; the VM goes on.
fn refusal(lab: &mut Lab, command: &str) -> String {
    let reply = lab.client.call(command, Value::Null);
    assert_eq!(reply.class(), "GenericError", "{}", reply.text);
    assert_eq!(lab.vm.qmp("query-status", Value::Null)["status"], "running");
    reply.desc().to_owned()
}

/// The owner's orders that it shall not sleep.
fn masks(lab: &mut Lab) {
    lab.vm.shell("systemctl mask suspend.target");
    let told = refusal(lab, "guest-suspend-ram");
    assert!(told.contains("suspend.target is masked"), "{told}");
    lab.vm.shell("systemctl unmask suspend.target");
    lab.vm.shell(
        "mkdir -p /etc/systemd/sleep.conf.d; printf '[Sleep]\\nAllowSuspend=no\\n' >/etc/systemd/sleep.conf.d/no.conf",
    );
    let told = refusal(lab, "guest-suspend-ram");
    assert!(told.contains("disabled by config"), "{told}");
    lab.vm.shell("rm /etc/systemd/sleep.conf.d/no.conf");
}

/// A program that must not be interrupted.
fn locks(lab: &mut Lab) {
    lab.vm.shell(
        "systemd-run --quiet --unit=backup systemd-inhibit --who=Backup --why='copying disks' --what=shutdown:sleep \
         --mode=block sleep infinity",
    );
    lab.vm.until("systemd-inhibit --list --no-legend | grep -q Backup");
    for command in ["guest-suspend-ram", "guest-shutdown"] {
        let told = refusal(lab, command);
        assert!(told.contains("inhibited by \"Backup\" (PID ") && told.contains("): copying disks"), "{told}");
    }
}

/// The lock is still there.
fn in_spite_of_a_lock(mut lab: Lab) {
    let policy = "version = 1\nprofile = \"full\"\n[[permit]]\ncapability = \"power\"\nmodules = [\"power\"]\n\
                  modes = [\"powerdown\"]\nignore-inhibitors = true\nreason = \"the host has to stop it\"\n";
    lab.vm.shell(&format!("cat >/etc/bulkhead/policy.toml <<'END'\n{policy}END\nsystemctl reload bulkhead"));
    let told = refusal(&mut lab, "guest-suspend-ram");
    assert!(told.contains("inhibited by"), "only for what the permit says: {told}");
    lab.client.send(b"{\"execute\": \"guest-shutdown\"}\n");
    assert_eq!(lab.vm.event("SHUTDOWN")["reason"], "guest-shutdown");
    assert!(lab.vm.wait_exit().success());
}
