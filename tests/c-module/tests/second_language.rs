//! A second language proves the border: `guest-modules/examples/c` is the command of `guest-modules/examples/primary-address`
//! in C. It is built with Debian's compiler, passes the cases of the one in Rust, is signed and installed over a running
//! agent, and answers.

use bulkhead_test_support::{Agent, Scratch, Vendor, agent_named, tools};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const COMMAND: &str = "__org.bulkhead_primary-address";

const POLICY: &str = r#"
version = 1
profile = "report"
[[command]]
names = ["__org.bulkhead_primary-address"]
mode = "enforce"
[[permit]]
capability = "system-files"
modules = ["org.bulkhead.primary-address"]
files = ["/proc/net/route", "/proc/net/ipv6_route"]
reason = "where the default route leads"
[[permit]]
capability = "network"
modules = ["org.bulkhead.primary-address"]
reason = "the addresses of that interface"
"#;

#[test]
fn a_command_in_c_is_built_tried_signed_installed_and_asked() {
    let Some(builders) = Builders::find() else { return };
    let scratch = Scratch::new("c-module");
    let bulkhead = tools();
    let module = build_and_try(&builders, &scratch, &bulkhead);
    let vendor = Vendor::new("org.bulkhead.*");
    vendor.sign(&module);

    std::fs::write(scratch.join("policy.toml"), POLICY).expect("the policy is written");
    let [policy, store] = ["policy.toml", "store"].map(|name| scratch.join(name).display().to_string());
    let agent = Agent::start(
        &agent_named("bulkhead-agent", &scratch),
        &["--policy", policy.as_str(), "--module-store", store.as_str()],
    );
    let mut client = agent.client();
    assert_eq!(client.call(COMMAND, Value::Null).class(), "CommandNotFound");

    let mut install = Command::new(&bulkhead);
    install
        .args(["module", "install", "--policy", &policy, "--store", &store, "--keys"])
        .arg(vendor.keys())
        .arg(&module);
    println!("{}", run(&mut install));

    let patience = Instant::now() + Duration::from_secs(20);
    let reply = loop {
        let reply = client.call(COMMAND, Value::Null);
        if reply.value["error"]["class"] != "CommandNotFound" {
            break reply;
        }
        assert!(Instant::now() < patience, "the agent does not take the module: {}", agent.log());
        std::thread::sleep(Duration::from_millis(50));
    };
    if !has_default_route() {
        return assert_eq!(reply.desc(), "there is no default route");
    }
    let answer = reply.ok();
    let interfaces = client.call("guest-network-get-interfaces", Value::Null).ok();
    assert_eq!(answer["addresses"], addresses_of(&interfaces, &answer["interface"]), "{answer}");
    let wrong = client.call(COMMAND, json!({ "interface": "eth0" }));
    assert_eq!(wrong.desc(), "Parameter 'interface' is unexpected");
}

/// What builds the module, besides make.
struct Builders {
    wit_bindgen: PathBuf,
}

impl Builders {
    /// Nothing, with a printed reason, if one is missing.
    fn find() -> Option<Self> {
        for (program, package) in [("clang", "clang"), ("wasm-ld", "lld"), ("minisign", "minisign"), ("make", "make")] {
            if on_path(program).is_none() {
                println!("skipped: {program} is not installed (package {package})");
                return None;
            }
        }
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin/wit-bindgen");
        let wit_bindgen = Some(own).filter(|path| path.is_file()).or_else(|| on_path("wit-bindgen"));
        if wit_bindgen.is_none() {
            println!("skipped: wit-bindgen is not installed: guest-modules/examples/c/README.md says how");
        }
        Some(Builders { wit_bindgen: wit_bindgen? })
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// As the folder's README has it: `make`, `make test`.
fn build_and_try(builders: &Builders, scratch: &Scratch, bulkhead: &Path) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-modules/examples/c");
    let assign = |name: &str, value: &Path| format!("{name}={}", value.display());
    let out = scratch.join("build");
    let mut make = Command::new("make");
    make.arg("-C").arg(folder).args(["all", "test"]);
    make.args([assign("OUT", &out), assign("BULKHEAD", bulkhead), assign("WIT_BINDGEN", &builders.wit_bindgen)]);
    let said = run(&mut make);
    assert!(said.contains("of two default routes the one with the lower metric"), "the cases were not run: {said}");
    out.join("primary-address-c.wasm")
}

/// Runs a program that must succeed, and gives what it said.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    said
}

fn has_default_route() -> bool {
    let table = |path| std::fs::read_to_string(path).unwrap_or_default();
    let ipv4 = table("/proc/net/route").lines().any(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        words.get(1) == Some(&"00000000") && words.get(7) == Some(&"00000000")
    });
    let none = "00000000000000000000000000000000 00 ";
    ipv4 || table("/proc/net/ipv6_route")
        .lines()
        .any(|line| line.starts_with(none) && !line.trim_end().ends_with(" lo"))
}

/// The addresses of an interface, from the list of all, without those of the link.
fn addresses_of(interfaces: &Value, name: &Value) -> Value {
    let all = interfaces.as_array().expect("a list of interfaces");
    let interface = all.iter().find(|it| it["name"] == *name).expect("the interface is in the list");
    let own = interface["ip-addresses"].as_array().into_iter().flatten().map(|it| it["ip-address"].clone());
    own.filter(|address| !address.as_str().is_some_and(|text| text.starts_with("fe80:"))).collect()
}
