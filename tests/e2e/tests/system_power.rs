//! How a Debian with systemd ends and sleeps, as QEMU and the console see it. Part of `make e2e`.

use bulkhead_e2e::{Vm, synchronise};
use serde_json::{Value, json};
use std::time::Duration;

/// A service that tells on the console when systemd stops it: a machine that just loses its power stops nothing.
fn place_witness(vm: &mut Vm) {
    vm.shell(
        "systemd-run --quiet --unit=witness --property=RemainAfterExit=yes \
         --property='ExecStop=/bin/sh -c \"echo witness was stopped > /dev/console\"' true",
    );
    vm.until("systemctl is-active witness");
}

#[test]
#[ignore = "takes a minute: make e2e"]
fn systemd_reboots_and_powers_off() {
    let Some(mut vm) = Vm::system().start() else { return };
    let mut client = vm.client();
    place_witness(&mut vm);
    let before = vm.shell("cat /proc/sys/kernel/random/boot_id");
    client.send(b"{\"execute\": \"guest-shutdown\", \"arguments\": {\"mode\": \"reboot\"}}\n");
    assert_eq!(vm.event("RESET")["reason"], "guest-reset");
    assert!(vm.console().contains("witness was stopped"), "systemd took down the services first");
    vm.wait_until_up();
    assert_ne!(vm.shell("cat /proc/sys/kernel/random/boot_id"), before, "it has booted again");
    // QEMU has kept the client's connection all along.
    synchronise(&mut client);

    place_witness(&mut vm);
    client.send(b"{\"execute\": \"guest-shutdown\"}\n");
    assert_eq!(client.try_reply(Duration::from_secs(180)), None, "success has no reply: the connection just ends");
    assert_eq!(vm.event("SHUTDOWN")["reason"], "guest-shutdown");
    assert!(vm.wait_exit().success());
    assert_eq!(vm.console().matches("witness was stopped").count(), 2);
}

/// To memory and back. To disk there is no way in this VM, which has no swap space: the agent must say so.
#[test]
#[ignore = "takes a minute: make e2e"]
fn systemd_suspends_and_wakes_up() {
    let Some(mut vm) = Vm::system().start() else { return };
    let mut client = vm.client();
    let reply = client.call("guest-suspend-disk", Value::Null);
    assert_eq!(reply.class(), "GenericError", "{}", reply.text);
    assert_eq!(vm.qmp("query-status", Value::Null)["status"], "running");

    vm.shell("(i=0; while sleep 1; do i=$((i + 1)); echo $i > /run/counter; done) >/dev/null 2>&1 &");
    client.send(format!("{}\n", json!({ "execute": "guest-suspend-ram" })).as_bytes());
    vm.event("SUSPEND");
    assert_eq!(vm.qmp("query-status", Value::Null)["status"], "suspended");
    vm.qmp("system_wakeup", Value::Null);
    vm.event("WAKEUP");

    synchronise(&mut client);
    client.call("guest-ping", Value::Null).ok();
    let before = vm.shell("cat /run/counter");
    vm.until(&format!("[ $(cat /run/counter) != {} ]", before.trim()));
}
