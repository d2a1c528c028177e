//! A module of a vendor comes into a VM whose agent runs, fails, and is taken back: over virtio-serial, with the store on an
//! ext4, the signature made outside.

use bulkhead_e2e::{Builder, Vm};
use bulkhead_test_support::{Client, Vendor};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const COMMAND: &str = "__com.example_answer";

/// The command of `tests/modules/samples`.
const SCHEMA: &str = "##
# @__com.example_answer:
#
# Answers with a number.
#
# @how: 'trap' for a trap
#
# Returns: the number
#
# Since: 1.0
##
{ 'command': '__com.example_answer',
  'data': { '*how': 'str' },
  'returns': 'int' }
";

/// Clients may call the command; it is granted nothing. Started as qemu-ga, the agent has the profile `full` besides.
const POLICY: &str = "version = 1
[[command]]
names = [\"__com.example_answer\"]
mode = \"enforce\"
reason = \"the VM test\"
";

/// What the owner adds to it for a module that imports `power`.
const PERMIT: &str = "version = 1
[[permit]]
capability = \"power\"
modules = [\"com.example.answer\"]
modes = [\"powerdown\"]
reason = \"the VM test\"
";

/// Where the modules and the store are in the VM, and how the owner's tool is called there.
const INSTALL: &str = "bulkhead module install --as qemu-ga --store /data/modules /etc/vendor";

#[test]
fn a_module_comes_to_a_running_agent_and_is_taken_back_when_it_fails() {
    let Some(mut vm) = start() else { return };
    let agent = vm.shell("pidof qemu-ga");
    let mut client = vm.client();
    assert_eq!(client.call(COMMAND, Value::Null).class(), "CommandNotFound");
    assert!(!listed(&mut client));

    vm.shell(&format!("{INSTALL}/1.wasm"));
    until_it_answers(&mut client, 1);
    assert!(listed(&mut client), "guest-info lists it at once");
    vm.shell(&format!("{INSTALL}/2.wasm"));
    until_it_answers(&mut client, 2);

    let trap = client.call(COMMAND, json!({ "how": "trap" }));
    assert_eq!(trap.class(), "GenericError", "the client sees an error like any other");
    assert_eq!(client.call(COMMAND, Value::Null).ok(), 1, "the version before serves the next request");
    assert_eq!(vm.shell("pidof qemu-ga"), agent, "all of it in one life of the agent");
    vm.until("grep -q quarantine /data/modules/state.json");
    let status = vm.shell("bulkhead status");
    assert!(status.contains("quarantine") && status.contains("com.example.answer"), "{status}");

    vm.shell("kill -TERM $(pidof qemu-ga)");
    vm.until("[ -s /run/agent-exits ]");
    vm.wait_until_up();
    drop(client);
    let mut client = vm.client();
    until_it_answers(&mut client, 1);
    let (status, said) = vm.try_shell(&format!("{INSTALL}/2.wasm"));
    assert!(status == 1 && said.contains("quarantine"), "what failed does not come back by itself: {said}");
    assert_eq!(client.call(COMMAND, Value::Null).ok(), 1);
}

#[test]
fn a_module_that_asks_for_more_than_is_granted_is_not_installed() {
    let Some(mut vm) = start() else { return };
    let mut client = vm.client();
    let (status, said) = vm.try_shell(&format!("{INSTALL}/power.wasm"));
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("[[permit]]") && said.contains("capability = \"power\""), "it says what to add: {said}");
    assert!(!listed(&mut client));
    vm.shell("[ ! -e /data/modules/state.json ]");

    // The owner grants it, and has the agent read that, so that what is installed then can be used.
    vm.shell(&format!("cat >/etc/bulkhead/policy.d/power.toml <<'END'\n{PERMIT}END\nkill -HUP $(pidof qemu-ga)"));
    vm.shell(&format!("{INSTALL}/power.wasm"));
    let patience = Instant::now() + Duration::from_secs(60);
    while !listed(&mut client) {
        assert!(Instant::now() < patience, "the agent does not take it: {}", vm.console());
    }
}

/// A VM with a vendor's modules that are not installed yet, and an owner who trusts the vendor. Nothing if it is skipped.
fn start() -> Option<Vm> {
    if bulkhead_e2e::tests_oracle() {
        println!("skipped: the oracle has no modules");
        return None;
    }
    let vendor = Vendor::new("com.example.*");
    let mut builder = Vm::builder()
        .compiler()
        .arguments("--module-store /data/modules")
        .file("/etc/bulkhead/policy.d/modules.toml", POLICY)
        .file("/etc/bulkhead/keys.d/vendor.pub", content(&vendor.public_key()));
    for (name, sample, version) in [("1", "answers_1", 1), ("2", "answers_2", 2), ("power", "asks_power", 3)] {
        let manifest = format!(
            "name = \"com.example.answer\"\nversion = \"{version}.0\"\ncounter = {version}\nagent = \"0.1.0\"\n\
             description = \"A sample.\"\n"
        );
        builder = put(builder, name, &vendor.module(&component(sample), &manifest, SCHEMA));
    }
    builder.start()
}

/// A module and its signature.
fn put(builder: Builder, name: &str, module: &Path) -> Builder {
    let signature = content(&PathBuf::from(format!("{}.minisig", module.display())));
    let place = format!("/etc/vendor/{name}.wasm");
    builder.file(&place, content(module)).file(&format!("{place}.minisig"), signature)
}

fn component(sample: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/wasm32-unknown-unknown/module/examples");
    folder.join(format!("{sample}.wasm"))
}

fn content(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether guest-info has the command.
fn listed(client: &mut Client) -> bool {
    let info = client.call("guest-info", Value::Null).ok();
    info["supported_commands"].as_array().expect("a list").iter().any(|command| command["name"] == COMMAND)
}

/// The agent takes a change by itself, a moment after the tool has ended.
fn until_it_answers(client: &mut Client, version: u64) {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        let reply = client.call(COMMAND, Value::Null);
        if reply.value["return"] == version {
            return;
        }
        assert!(Instant::now() < patience, "version {version} does not come: {}", reply.text);
    }
}
