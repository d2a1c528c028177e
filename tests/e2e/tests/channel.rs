//! Clients that leave, in every state a conversation can be in, and clients that come after them.

use bulkhead_e2e::{Vm, base64, synchronise, tests_oracle};
use serde_json::{Value, json};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Long enough for the agent to notice that its client has left, on a busy machine.
const A_MOMENT: Duration = Duration::from_secs(2);

/// Bytes, and the news that somebody has connected, reach the kernel by different virtio queues. So a request can be
/// there while the port still counts as closed, and must be answered all the same.
#[test]
fn clients_come_and_go() {
    let Some(mut vm) = Vm::builder().start() else { return };
    let mut client = vm.client();
    let handle = client.call("guest-file-open", json!({ "path": "/data/kept", "mode": "w+" })).ok();
    client.call("guest-file-write", json!({ "handle": handle, "buf-b64": base64(b"kept") })).ok();
    vm.shell("truncate -s 8M /run/large");
    let large = client.call("guest-file-open", json!({ "path": "/run/large" })).ok();
    drop(client);

    for round in 0..40 {
        let mut client = vm.client();
        client.call("guest-ping", Value::Null).ok();
        match round % 4 {
            0 => {}
            1 => client.send(b"{\"execute\": \"guest-"),
            2 => client.send(b"{\"execute\": \"guest-info\"}\n"),
            _ => {
                let seek =
                    json!({ "execute": "guest-file-seek", "arguments": { "handle": large, "offset": 0, "whence": 0 } });
                let read = json!({ "execute": "guest-file-read", "arguments": { "handle": large, "count": 8 << 20 } });
                client.send(format!("{seek}\n{read}\n").as_bytes());
                client.reply().ok();
            }
        }
        // Sometimes the next one is there before the agent can notice, sometimes the agent waits for it alone.
        if round % 8 > 3 {
            drop(client);
            sleep(A_MOMENT / 20);
        }
    }

    let mut client = vm.client();
    client.call("guest-file-seek", json!({ "handle": handle, "offset": 0, "whence": "set" })).ok();
    let kept = client.call("guest-file-read", json!({ "handle": handle })).ok();
    assert_eq!(kept["buf-b64"], base64(b"kept"), "handles outlive the client that opened them");
    assert_eq!(vm.try_shell("cat /run/agent-exits").0, 1, "the agent has not ended");
}

#[test]
fn half_a_request_is_not_completed_by_the_next_client() {
    let Some(mut vm) = Vm::builder().start() else { return };
    let mut first = vm.client();
    first.send(br#"{"execute": "guest-file-open", "arguments": {"path": "/run/harm", "mode": "w""#);
    drop(first);
    sleep(A_MOMENT);

    // Without a sentinel: what it says must not be the end of what the other one began.
    let mut second = vm.connect();
    second.send(b"}}\n");
    synchronise(&mut second);
    let harm = vm.try_shell("ls /run/harm").0 == 0;
    if vm.runs_oracle() {
        println!("the oracle lets the second client complete the request of the first: {harm}");
        return;
    }
    assert!(!harm, "the second client completed the request of the first");
}

#[test]
fn a_client_of_an_isa_serial_port_leaves_and_returns() {
    let Some(mut vm) = Vm::builder().isa_serial().start() else { return };
    // Until the agent has put the line into raw mode, it would echo and lose bytes.
    vm.until("stty -F /dev/ttyS1 -a | grep -q -- -icanon");
    let mut client = vm.client();
    let handle = client.call("guest-file-open", json!({ "path": "/data/kept", "mode": "w" })).ok();
    for _ in 0..10 {
        client.send(b"{\"execute\": \"guest-");
        drop(client);
        client = vm.client();
        client.call("guest-ping", Value::Null).ok();
    }
    client.call("guest-file-close", json!({ "handle": handle })).ok();
    assert_eq!(vm.try_shell("cat /run/agent-exits").0, 1, "the agent has not ended");
}

/// Over the loopback of the VM's own vsock, so that the machine that runs the tests needs no vhost-vsock.
#[test]
fn a_client_of_a_vsock_leaves_and_returns() {
    let client = Path::new(env!("CARGO_BIN_EXE_vsock-client"));
    let peers = if tests_oracle() { "" } else { " --vsock-peers=local" };
    let arguments = format!("-m vsock-listen -p 4294967295:1024{peers}");
    let vm = Vm::builder().arguments(&arguments).program("vsock-client", client).start();
    let Some(mut vm) = vm else { return };
    vm.until("echo '{\"execute\": \"guest-ping\"}' | vsock-client 1024");
    for id in 0..10 {
        if !vm.runs_oracle() {
            // Without a sentinel: on a listening socket, too, the oracle lets the next client go on with this.
            vm.shell("printf '{\"execute\": \"guest-' | vsock-client 1024");
        }
        let request = format!("{{\"execute\": \"guest-sync\", \"arguments\": {{\"id\": {id}}}}}");
        assert_eq!(vm.shell(&format!("echo '{request}' | vsock-client 1024")), format!("{{\"return\": {id}}}\n"));
    }
}

/// Whoever is in the VM can reach the loopback; the client that the agent is for is outside.
#[test]
fn a_client_of_a_vsock_who_is_not_the_host_is_refused() {
    let client = Path::new(env!("CARGO_BIN_EXE_vsock-client"));
    let vm = Vm::builder().arguments("-m vsock-listen -p 4294967295:1024").program("vsock-client", client).start();
    let Some(mut vm) = vm else { return };
    let ask = "echo '{\"execute\": \"guest-ping\"}' | vsock-client 1024";
    if vm.runs_oracle() {
        vm.until(ask);
        return println!("the oracle answers whoever connects");
    }
    // Until the agent listens it is the kernel that refuses.
    let said = "a client from vsock context id 1 was refused";
    let end = Instant::now() + Duration::from_secs(60);
    while !vm.console().contains(said) {
        assert_eq!(vm.try_shell(&format!("{ask} 2>/dev/null")).1, "");
        assert!(Instant::now() < end, "{}", vm.console());
    }
    for _ in 0..10 {
        assert_eq!(vm.try_shell(&format!("{ask} 2>/dev/null")).1, "");
    }
    assert_eq!(vm.console().matches(said).count(), 1, "it does not fill the log");
}
