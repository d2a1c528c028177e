//! An idle agent sleeps. On a host with a thousand VMs, ten wake-ups per second in each are a core.

use bulkhead_e2e::Vm;
use serde_json::Value;
use std::thread::sleep;
use std::time::Duration;

/// How long each kind of idleness is watched.
const QUIET: Duration = Duration::from_secs(10);

/// How often the kernel has switched away from any of the agent's threads: each wake-up ends in one of these.
fn switches(vm: &mut Vm) -> u64 {
    let sum = "cat /proc/$(pidof qemu-ga)/task/*/status | awk '/ctxt_switches/ { sum += $2 } END { print sum }'";
    vm.shell(sum).trim().parse().unwrap()
}

fn assert_quiet(vm: &mut Vm, when: &str) {
    // What came before may still have an end.
    sleep(Duration::from_secs(2));
    let before = switches(vm);
    sleep(QUIET);
    let wake_ups = switches(vm) - before;
    if vm.runs_oracle() {
        println!("the oracle wakes up {wake_ups} times in {QUIET:?} {when}");
        return;
    }
    assert_eq!(wake_ups, 0, "wake-ups in {QUIET:?} {when}");
}

#[test]
fn an_idle_agent_makes_no_wake_ups() {
    let Some(mut vm) = Vm::builder().start() else { return };
    assert_quiet(&mut vm, "before the first client");

    let mut client = vm.client();
    assert_quiet(&mut vm, "with a silent client");

    let before = switches(&mut vm);
    client.call("guest-ping", Value::Null).ok();
    assert!(switches(&mut vm) > before, "a request does wake it, so the counter counts");

    drop(client);
    assert_quiet(&mut vm, "after the last client");
    vm.client().call("guest-ping", Value::Null).ok();
}
