//! Processors and memory that are added to a running VM, taken into use by the agent alone: nothing else in it would.

use bulkhead_e2e::Vm;
use serde_json::{Value, json};

const POLICY: &str = "version = 1\nprofile = \"standard\"\n[hotplug]\nonline = true\n";

/// Adds a processor that is not there yet.
fn add_processor(vm: &mut Vm, id: &str) {
    let all = vm.qmp("query-hotpluggable-cpus", Value::Null);
    let free = all.as_array().expect("they are a list").iter().rfind(|it| it.get("qom-path").is_none());
    let free = free.expect("there is room for one more");
    let mut device = free["props"].clone();
    (device["driver"], device["id"]) = (free["type"].clone(), json!(id));
    vm.qmp("device_add", device);
}

fn add_memory(vm: &mut Vm) {
    vm.qmp("object-add", json!({ "qom-type": "memory-backend-ram", "id": "more", "size": 512 << 20 }));
    vm.qmp("device_add", json!({ "driver": "pc-dimm", "id": "dimm", "memdev": "more" }));
}

const OFFLINE: &str =
    "cat /sys/devices/system/cpu/cpu*/online /sys/devices/system/memory/memory*/state | grep -c -e '^0' -e offline";

#[test]
fn what_is_added_is_taken_into_use_if_the_policy_says_so() {
    let arguments = "--policy /etc/bulkhead/policy.toml";
    let Some(mut vm) = Vm::builder().grows().file("/etc/bulkhead/policy.toml", POLICY).arguments(arguments).start()
    else {
        return;
    };
    if vm.runs_oracle() {
        println!("skipped: qemu-ga has no such wish");
        return;
    }
    vm.shell("echo offline >/sys/devices/system/memory/auto_online_blocks");
    assert_eq!(vm.shell("nproc").trim(), "2");
    let memory = |vm: &mut Vm| -> u64 {
        vm.shell("awk '/MemTotal/ { print $2 }' /proc/meminfo").trim().parse().expect("it is a number")
    };
    let before = memory(&mut vm);
    add_processor(&mut vm, "third");
    vm.until("[ \"$(nproc)\" = 3 ]");
    add_memory(&mut vm);
    vm.until(&format!("[ \"$(awk '/MemTotal/ {{ print $2 }}' /proc/meminfo)\" -gt {} ]", before + (400 << 10)));
    vm.until(&format!("[ \"$({OFFLINE})\" = 0 ]"));
    assert_eq!(vm.client().call("guest-ping", Value::Null).ok(), json!({}));
}

#[test]
fn without_the_owners_word_it_is_left_alone() {
    let Some(mut vm) = Vm::builder().grows().start() else { return };
    add_processor(&mut vm, "third");
    vm.until("[ -e /sys/devices/system/cpu/cpu2/online ]");
    assert_eq!(vm.client().call("guest-ping", Value::Null).ok(), json!({}));
    assert_eq!(vm.shell("cat /sys/devices/system/cpu/cpu2/online").trim(), "0");
}
