//! Every command, over a real virtio-serial port, on both processor models the guest modules are compiled for.

use bulkhead_e2e::{Vm, base64};
use bulkhead_test_support::Client;
use serde_json::{Value, json};
use std::time::Duration;

/// x86-64-v2, what most VMs have.
#[test]
fn every_command_on_westmere() {
    every_command("Westmere");
}

/// x86-64 without SSSE3: QEMU's default model.
#[test]
fn every_command_on_qemu64() {
    every_command("qemu64");
}

fn every_command(cpu: &str) {
    let Some(mut vm) = Vm::builder().cpu(cpu).start() else { return };
    let mut client = vm.client();
    small_talk(&mut client);
    a_file_from_open_to_close(&mut vm, &mut client);
    file_systems(&mut vm, &mut client);
    shutdown(&mut vm, &mut client);
}

fn small_talk(client: &mut Client) {
    assert_eq!(client.call("guest-sync", json!({ "id": 42 })).text, r#"{"return": 42}"#);

    let delimited = client.call("guest-sync-delimited", json!({ "id": -1 }));
    assert_eq!((delimited.sentinel, delimited.text.as_str()), (true, r#"{"return": -1}"#));

    let ping = client.call("guest-ping", Value::Null);
    assert_eq!((ping.sentinel, ping.text.as_str()), (false, r#"{"return": {}}"#));

    let info = client.call("guest-info", Value::Null).ok();
    assert!(info["version"].is_string());
    let commands = info["supported_commands"].as_array().unwrap();
    for name in [
        "guest-sync",
        "guest-sync-delimited",
        "guest-ping",
        "guest-info",
        "guest-file-open",
        "guest-file-close",
        "guest-file-read",
        "guest-file-write",
        "guest-file-seek",
        "guest-file-flush",
        "guest-fsfreeze-status",
        "guest-fsfreeze-freeze",
        "guest-fsfreeze-freeze-list",
        "guest-fsfreeze-thaw",
        "guest-fstrim",
        "guest-shutdown",
    ] {
        let command = commands.iter().find(|command| command["name"] == name);
        let command = command.unwrap_or_else(|| panic!("guest-info does not list {name}"));
        assert_eq!(command["enabled"], true, "{name}");
        assert_eq!(command["success-response"], name != "guest-shutdown", "{name}");
    }
}

fn a_file_from_open_to_close(vm: &mut Vm, client: &mut Client) {
    let handle = client.call("guest-file-open", json!({ "path": "/data/letter", "mode": "w+" })).ok();
    let written = client.call("guest-file-write", json!({ "handle": handle, "buf-b64": base64(b"Dear VM,\n") })).ok();
    assert_eq!(written, json!({ "count": 9, "eof": false }));
    client.call("guest-file-flush", json!({ "handle": handle })).ok();
    assert_eq!(vm.shell("cat /data/letter"), "Dear VM,\n");

    let sought = client.call("guest-file-seek", json!({ "handle": handle, "offset": 5, "whence": "set" })).ok();
    assert_eq!(sought, json!({ "position": 5, "eof": false }));
    let read = client.call("guest-file-read", json!({ "handle": handle })).ok();
    assert_eq!(read, json!({ "count": 4, "buf-b64": base64(b"VM,\n"), "eof": true }));

    client.call("guest-file-close", json!({ "handle": handle })).ok();
    let closed = client.call("guest-file-read", json!({ "handle": handle }));
    assert_eq!(closed.desc(), format!("handle '{handle}' has not been found"));
}

fn file_systems(vm: &mut Vm, client: &mut Client) {
    assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "thawed");
    assert_eq!(
        client.call("guest-fsfreeze-freeze", Value::Null).ok(),
        2,
        "ext4 and xfs; the bind mount is not a third"
    );
    assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "frozen");
    let refused = client.call("guest-file-open", json!({ "path": "/run/x", "mode": "w" }));
    assert_eq!(refused.class(), "CommandNotFound");
    assert_eq!(client.call("guest-fsfreeze-thaw", Value::Null).ok(), 2);
    assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "thawed");

    assert_eq!(client.call("guest-fsfreeze-freeze-list", json!({ "mountpoints": ["/xfs"] })).ok(), 1);
    vm.shell("echo still writable > /data/note; sync -f /data/note");
    assert_eq!(client.call("guest-fsfreeze-thaw", Value::Null).ok(), 1);
    assert_eq!(client.call("guest-fsfreeze-freeze-list", json!({ "mountpoints": ["/nowhere"] })).ok(), 0);
    assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "thawed");

    vm.shell("dd if=/dev/zero of=/data/waste bs=1M count=8; sync; rm /data/waste; sync");
    let trimmed = client.call("guest-fstrim", Value::Null).ok();
    let paths = trimmed["paths"].as_array().unwrap();
    for mount in ["/data", "/xfs"] {
        let path = paths.iter().find(|path| path["path"] == mount).unwrap_or_else(|| panic!("no {mount}: {trimmed}"));
        assert!(path["trimmed"].as_u64().unwrap() >= 8 << 20, "{trimmed}");
    }
}

fn shutdown(vm: &mut Vm, client: &mut Client) {
    let wrong = client.call("guest-shutdown", json!({ "mode": "explode" }));
    assert!(wrong.desc().starts_with("mode is invalid"), "{}", wrong.text);

    client.send(b"{\"execute\": \"guest-shutdown\"}\n");
    assert_eq!(client.try_reply(Duration::from_secs(180)), None, "success has no reply: the connection just ends");
    assert_eq!(vm.event("SHUTDOWN")["reason"], "guest-shutdown");
    assert!(vm.wait_exit().success());
}
