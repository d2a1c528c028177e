//! The three ways to end a VM, as QEMU sees them.

use bulkhead_e2e::{Vm, synchronise};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn request(mode: &str) -> Vec<u8> {
    let request = json!({ "execute": "guest-shutdown", "arguments": { "mode": mode } });
    format!("{request}\n").into_bytes()
}

#[test]
fn reboot_starts_the_vm_again_and_powerdown_ends_it() {
    let Some(mut vm) = Vm::builder().start() else { return };
    vm.shell("touch /run/before");
    let mut client = vm.client();
    client.send(&request("reboot"));
    assert_eq!(vm.event("RESET")["reason"], "guest-reset");
    vm.wait_until_up();
    assert_eq!(vm.try_shell("ls /run/before").0, 1, "it has booted again");

    // QEMU has kept the client's connection all along.
    synchronise(&mut client);
    client.call("guest-ping", Value::Null).ok();

    client.send(&request("powerdown"));
    assert_eq!(vm.event("SHUTDOWN")["reason"], "guest-shutdown");
    assert!(vm.wait_exit().success());
}

#[test]
fn halt_stops_the_system_and_leaves_the_machine_on() {
    let Some(mut vm) = Vm::builder().start() else { return };
    let mut client = vm.client();
    client.send(&request("halt"));
    let end = Instant::now() + Duration::from_secs(180);
    while !vm.console().contains("System halted") {
        assert!(Instant::now() < end, "the system has not halted");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(vm.qmp("query-status", Value::Null)["status"], "running");
}
