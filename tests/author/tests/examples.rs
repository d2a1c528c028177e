//! The examples: packed as an author would, and tried with their cases. `make examples` builds them.

use bulkhead_test_support::{Scratch, tools};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn module(words: &[&str]) -> Output {
    let compiler = root().join("target/release/bulkhead-compile");
    let command = Command::new(tools()).arg("module").args(words).arg("--compiler").arg(compiler).output();
    command.expect("the tool can be started")
}

/// Packs an example, and gives the path of the module and the folder of its sources.
fn packed(scratch: &Scratch, name: &str) -> (String, PathBuf) {
    let folder = root().join("guest-modules/examples").join(name);
    let built = format!("target/wasm32-unknown-unknown/module/bulkhead_module_{}.wasm", name.replace('-', "_"));
    let built = root().join(built);
    assert!(built.exists(), "{} is not there: run `make examples` first", built.display());
    let file = scratch.join(&format!("{name}.wasm")).display().to_string();
    let (manifest, component) = (folder.join("module.toml"), built.display().to_string());
    let ended = module(&["pack", "--manifest", manifest.to_str().unwrap(), &component, "-o", &file]);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    (file, folder)
}

#[test]
fn each_example_answers_as_its_cases_say() {
    for name in ["primary-address", "freeze-blockers"] {
        let scratch = Scratch::new("examples");
        let (file, folder) = packed(&scratch, name);
        let cases = folder.join("cases.toml");
        let ended = module(&["test", &file, "--cases", cases.to_str().unwrap()]);
        let (told, error) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert!(ended.status.success() && told.ends_with(" passed, 0 failed\n"), "{name}\n{told}{error}");
        assert!(told.matches("... ok").count() >= 7, "{told}");
    }
}

#[test]
fn a_case_that_lies_is_found_out() {
    let scratch = Scratch::new("lies");
    let (file, folder) = packed(&scratch, "primary-address");
    let honest = std::fs::read_to_string(folder.join("cases.toml")).unwrap();
    let cases = scratch.join("lies.toml");
    let lies = honest
        .replace("\"2001:db8::7\"]", "\"2001:db8::8\"]")
        .replace("'network',", "")
        .replace("asks = []", "asks = ['network']");
    std::fs::write(&cases, lies.replace("there is no default route", "there is one")).unwrap();
    let ended = module(&["test", &file, "--cases", cases.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.status.code(), Some(1), "{told}");
    for line in [
        "4 passed, 3 failed",
        "case no default route ... FAILED",
        "returns.addresses[1]\n  - \"2001:db8::8\"\n  + \"2001:db8::7\"\n",
        "asks\n  + network\n",
        "asks\n  - network\n",
        "expected error: there is one\n   but it is: there is no default route\n",
    ] {
        assert!(told.contains(line), "{line}\nis not in\n{told}");
    }
}

#[test]
fn a_module_is_run_in_front_of_a_case() {
    let scratch = Scratch::new("run");
    let (file, folder) = packed(&scratch, "primary-address");
    let cases = folder.join("cases.toml").display().to_string();
    let run = |words: &[&str]| {
        module(&[&["run", &file, "__org.bulkhead_primary-address", "--cases", &cases], words].concat())
    };
    let ended = run(&["--case", "a VM with version 6 only"]);
    let told = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{told}");
    assert!(told.contains("\"2001:db8:0:1::2\"") && told.contains("\nasked: network\n"), "{told}");
    let ended = run(&["--case", "no default route"]);
    assert_eq!(ended.status.code(), Some(1), "an error is told by the exit status too");
    let ended = run(&["--case", "nobody's"]);
    assert!(String::from_utf8_lossy(&ended.stderr).contains("no case is called 'nobody's'; there are 'one interface"));
}
