//! scratch
use bulkhead_e2e::{Vm,synchronise};
use serde_json::{json,Value};
use std::time::Duration;
fn ok(c: &mut bulkhead_test_support::Client) -> bool {
    c.patience = Duration::from_secs(5);
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| synchronise(c))).is_ok()
}
fn tail(vm: &Vm) { println!("{}", vm.console().lines().rev().take(25).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")); }
fn state(vm: &mut Vm) { println!("{}", vm.shell("p=$(pidof qemu-ga); cat /proc/$p/task/*/wchan; echo; cat /proc/$p/task/*/stat | cut -d' ' -f3,14,15; cat /sys/kernel/debug/virtio-ports/* 2>/dev/null || (mount -t debugfs d /sys/kernel/debug; cat /sys/kernel/debug/virtio-ports/vport*)")); println!("{}", vm.qmp("query-chardev", Value::Null)); }
#[test]
fn scenarios() {
    for kind in 0..4 {
    let Some(mut vm) = Vm::builder().arguments("-v").start() else { return };
    vm.shell("truncate -s 8M /run/large");
    let mut c = vm.connect();
    if !ok(&mut c) { drop(c); c = vm.connect(); ok(&mut c); }
    let large = c.call("guest-file-open", json!({ "path": "/run/large" })).ok();
    drop(c);
    let mut failed = 0;
    for round in 0..40 {
        let mut client = vm.connect();
        if !ok(&mut client) { failed += 1; println!("kind {kind} round {round} failed"); tail(&vm); state(&mut vm);
            client.send(b"{\"execute\":\"guest-ping\"}\n"); println!("then: {:?}", client.try_reply(Duration::from_secs(5)));
            if failed > 2 { break }
        }
        match kind {
            0 => {}
            1 => client.send(b"{\"execute\": \"guest-"),
            2 => client.send(b"{\"execute\": \"guest-info\"}\n"),
            _ => {
                let seek = json!({ "execute": "guest-file-seek", "arguments": { "handle": large, "offset": 0, "whence": 0 } });
                let read = json!({ "execute": "guest-file-read", "arguments": { "handle": large, "count": 8 << 20 } });
                client.send(format!("{seek}\n{read}\n").as_bytes());
                client.reply().ok();
            }
        }
        if round % 8 > 3 { drop(client); std::thread::sleep(Duration::from_millis(100)); }
    }
    println!("KIND {kind}: failed {failed}");
    }
}
#[test]
fn reboot() {
    for _ in 0..3 {
    let Some(mut vm) = Vm::builder().arguments("-v").start() else { return };
    let mut c = vm.connect();
    println!("first {}", ok(&mut c));
    c.send(b"{\"execute\":\"guest-shutdown\",\"arguments\":{\"mode\":\"reboot\"}}\n");
    vm.event("RESET");
    vm.wait_until_up();
    let r = ok(&mut c);
    println!("REBOOT sync {r}");
    if !r { tail(&vm); state(&mut vm); c.send(b"{\"execute\":\"guest-ping\"}\n"); println!("then: {:?}", c.try_reply(Duration::from_secs(5))); }
    }
}
