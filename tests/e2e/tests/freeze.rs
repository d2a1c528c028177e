//! Frozen means frozen: the kernel holds writers back, and a crash of the agent does not lose them.

use bulkhead_e2e::Vm;
use serde_json::{Value, json};

/// Starts a writer on each file system; neither can finish before the thaw.
fn start_writers(vm: &mut Vm) {
    vm.shell("for fs in data xfs; do (dd if=/dev/zero of=/$fs/late bs=4k count=1 conv=fsync && touch /run/$fs.written) >/dev/null 2>&1 & done");
    // State D: the kernel has put them to sleep, so they have tried.
    vm.until(r#"[ "$(for pid in $(pidof dd); do grep 'State:.D' /proc/$pid/status; done | wc -l)" = 2 ]"#);
}

fn assert_none_has_written(vm: &mut Vm) {
    assert_eq!(vm.shell("ls /run | grep written || true"), "", "a write went through a frozen file system");
}

fn assert_both_write(vm: &mut Vm) {
    vm.until("[ -e /run/data.written ] && [ -e /run/xfs.written ]");
}

#[test]
fn writers_wait_until_the_thaw() {
    let Some(mut vm) = Vm::builder().start() else { return };
    let mut client = vm.client();
    assert_eq!(client.call("guest-fsfreeze-freeze", Value::Null).ok(), 2, "the bind mount is not a third");
    start_writers(&mut vm);

    // The client leaves and comes back while they wait.
    drop(client);
    let mut client = vm.client();
    assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "frozen");
    assert_none_has_written(&mut vm);

    assert_eq!(client.call("guest-fsfreeze-thaw", Value::Null).ok(), 2);
    assert_both_write(&mut vm);
    assert_eq!(
        client.call("guest-fsfreeze-thaw", Value::Null).ok(),
        0,
        "a second thaw finds nothing and is not an error"
    );
}

#[test]
fn a_file_system_mounted_twice_is_one_file_system() {
    let Some(mut vm) = Vm::builder().start() else { return };
    let mut client = vm.client();
    if vm.runs_oracle() {
        println!("skipped: qemu-ga 7.2 knows a file system by all its mount points");
        return;
    }
    assert_eq!(client.call("guest-fsfreeze-freeze-list", json!({ "mountpoints": ["/bind"] })).ok(), 0);
    assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "thawed");
    assert_eq!(client.call("guest-fsfreeze-freeze-list", json!({ "mountpoints": ["/data", "/bind"] })).ok(), 1);
    assert_eq!(client.call("guest-fsfreeze-thaw", Value::Null).ok(), 1);
    vm.shell("touch /bind/x && sync");

    let trimmed = client.call("guest-fstrim", Value::Null).ok();
    let paths: Vec<_> = trimmed["paths"].as_array().unwrap().iter().map(|path| &path["path"]).collect();
    assert_eq!(paths, ["/xfs", "/data"], "newest mount first");
}

#[test]
fn an_agent_killed_while_frozen_comes_back_frozen() {
    let Some(mut vm) = Vm::builder().start() else { return };
    let mut client = vm.client();
    assert_eq!(client.call("guest-fsfreeze-freeze", Value::Null).ok(), 2);
    start_writers(&mut vm);
    drop(client);

    vm.shell("kill -9 $(pidof qemu-ga)");
    vm.until("[ -s /run/agent-exits ]");
    vm.wait_until_up();

    let mut client = vm.client();
    assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "frozen");
    client.call("guest-ping", Value::Null).ok();
    for (command, arguments) in [
        ("guest-file-open", json!({ "path": "/run/x", "mode": "w" })),
        ("guest-fsfreeze-freeze", Value::Null),
        ("guest-fstrim", Value::Null),
        ("guest-shutdown", Value::Null),
    ] {
        assert_eq!(client.call(command, arguments).class(), "CommandNotFound", "{command}");
    }
    assert_none_has_written(&mut vm);

    assert_eq!(client.call("guest-fsfreeze-thaw", Value::Null).ok(), 2);
    assert_both_write(&mut vm);
    assert_eq!(client.call("guest-fsfreeze-status", Value::Null).ok(), "thawed");
    client.call("guest-file-open", json!({ "path": "/data/after", "mode": "w" })).ok();
    assert_eq!(vm.shell("cat /run/agent-exits"), "137\n", "one life ended, by our signal");
}
