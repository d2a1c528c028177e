//! A VM that sleeps and wakes, as QEMU sees it. The busybox system has none of the tools: the kernel is told.

use bulkhead_e2e::Vm;
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn a_vm_asleep_in_its_memory_goes_on_where_it_was() {
    let Some(mut vm) = Vm::builder().start() else { return };
    assert!(vm.shell("cat /sys/power/state").contains("mem"), "the kernel can");
    let mut client = vm.client();
    let handle = client.call("guest-file-open", json!({ "path": "/run/dream", "mode": "w" })).ok();

    client.send(b"{\"execute\": \"guest-suspend-ram\"}\n");
    vm.event("SUSPEND");
    assert_eq!(vm.qmp("query-status", Value::Null)["status"], "suspended");
    // Longer than it takes to go to sleep, shorter than any patience.
    std::thread::sleep(Duration::from_secs(3));
    vm.qmp("system_wakeup", Value::Null);
    vm.event("WAKEUP");

    client.call("guest-ping", Value::Null).ok();
    client.call("guest-file-close", json!({ "handle": handle })).ok();
    assert_eq!(vm.qmp("query-status", Value::Null)["status"], "running");
}

#[test]
fn what_this_vm_cannot_do_is_said() {
    let Some(vm) = Vm::builder().start() else { return };
    let refused = vm.client().call("guest-suspend-hybrid", Value::Null);
    assert_eq!(refused.desc(), "the requested suspend mode is not supported by the guest");
}
