//! A signal ends the agent at once and cleanly, whatever its client does.

use bulkhead_e2e::Vm;
use serde_json::{Value, json};
use std::io::Read;
use std::time::{Duration, Instant};

/// Signals the agent, waits for its end, and expects exit status 0 for the `nth` time. It takes milliseconds; the limit
/// leaves room for a busy machine, and an agent that waits for its client never ends at all.
fn signal(vm: &mut Vm, signal: &str, nth: usize) {
    let start = Instant::now();
    vm.shell(&format!("kill -{signal} $(pidof qemu-ga)"));
    vm.until(&format!("[ $(cat /run/agent-exits | wc -l) = {nth} ]"));
    assert!(start.elapsed() < Duration::from_secs(20), "it took {:?}", start.elapsed());
    assert_eq!(vm.shell("cat /run/agent-exits"), "0\n".repeat(nth));
    vm.wait_until_up();
}

#[test]
fn a_signal_ends_it_with_status_0() {
    let Some(mut vm) = Vm::builder().start() else { return };
    signal(&mut vm, "TERM", 1);

    let mut client = vm.client();
    client.call("guest-ping", Value::Null).ok();
    signal(&mut vm, "INT", 2);
    drop(client);
    vm.client().call("guest-ping", Value::Null).ok();
}

#[test]
fn a_client_that_does_not_read_cannot_keep_it() {
    let Some(mut vm) = Vm::builder().start() else { return };
    if vm.runs_oracle() {
        println!("skipped: the oracle ignores SIGTERM until such a client leaves");
        return;
    }
    vm.shell("truncate -s 48M /run/large");
    let mut client = vm.client();
    let handle = client.call("guest-file-open", json!({ "path": "/run/large" })).ok();
    let read = json!({ "execute": "guest-file-read", "arguments": { "handle": handle, "count": 48 << 20 } });
    client.send(format!("{read}\n").as_bytes());

    // The first piece shows that the reply has begun; the rest stays where it is.
    let mut piece = [0; 1000];
    client.stream().set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    client.stream().read_exact(&mut piece).unwrap();
    assert!(piece.starts_with(b"{\"return\": {"));
    signal(&mut vm, "TERM", 1);

    drop(client);
    vm.client().call("guest-ping", Value::Null).ok();
}
