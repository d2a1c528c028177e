//! What the program that reads somebody else's component can do, seen from outside while it waits for the component; and what is
//! said of a compiler that misbehaves.

use bulkhead_modules_tests::{ANSWER_SCHEMA, Place, compiler, manifest, packed};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::Uid;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long it may take to give up its privileges. It bounds a test that waits for what never happens; the program does it
/// before it reads anything, in some milliseconds.
const CONFINED: Duration = Duration::from_secs(20);

/// A compiler that waits for a component on its stdin.
struct Waiting(Child);

impl Waiting {
    fn begin(purpose: &[&str]) -> Self {
        let mut command = Command::new(compiler());
        command.arg("--confined").args(purpose);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let waiting = Waiting(child.expect("the compiler can be started"));
        // The limit of descriptors is what it gives up last.
        let end = Instant::now() + CONFINED;
        while !waiting.limits().contains(&("Max open files".to_owned(), "3".to_owned(), "3".to_owned())) {
            assert!(Instant::now() < end, "it is not confined: {:?}", waiting.limits());
            sleep(Duration::from_millis(5));
        }
        waiting
    }

    fn proc(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.0.id())).expect("the process runs")
    }

    /// The words of a line of its status.
    fn status(&self, name: &str) -> Vec<String> {
        let text = self.proc("status");
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
        line.unwrap_or_else(|| panic!("{name} is not in {text}")).split_whitespace().map(str::to_owned).collect()
    }

    /// Its limits: name, soft, hard.
    fn limits(&self) -> Vec<(String, String, String)> {
        let text = self.proc("limits");
        let limits = text.lines().skip(1).map(|line| {
            let (name, rest) = line.split_at(25);
            let mut values = rest.split_whitespace().map(str::to_owned);
            (name.trim().to_owned(), values.next().expect("a soft limit"), values.next().expect("a hard limit"))
        });
        limits.collect()
    }

    fn descriptors(&self) -> Vec<String> {
        let entries = fs::read_dir(format!("/proc/{}/fd", self.0.id())).expect("root may look");
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().expect("a number")).collect();
        names.sort();
        names
    }

    /// Gives it the component; what it answers.
    fn answer(mut self, component: &[u8]) -> Vec<u8> {
        self.0.stdin.take().unwrap().write_all(component).expect("it reads");
        let mut answer = Vec::new();
        self.0.stdout.take().unwrap().read_to_end(&mut answer).expect("it answers");
        assert!(self.0.wait().unwrap().success());
        answer
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A file that programs inherit, as a careless caller would leave it open.
fn left_open() -> File {
    let file = File::open("/etc/passwd").expect("every machine has users");
    fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty())).expect("an open file has flags");
    file
}

#[test]
fn before_it_reads_a_byte_it_has_given_up_everything() {
    if !Uid::effective().is_root() {
        println!("skipped: only root has privileges to give up");
        return;
    }
    let open = left_open();
    for (purpose, seconds) in [(&["--describe"][..], "10"), (&["--form", "x86-64"], "60")] {
        let waiting = Waiting::begin(purpose);
        assert_eq!(waiting.status("Uid"), ["65534"; 4], "real, effective, saved, and of file systems");
        assert_eq!(waiting.status("Gid"), ["65534"; 4]);
        assert!(waiting.status("Groups").is_empty());
        assert_eq!(waiting.status("NoNewPrivs"), ["1"]);
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(waiting.status(set), ["0000000000000000"], "{set}");
        }
        let limits = waiting.limits();
        for (name, value) in [
            ("Max address space", "1073741824"),
            ("Max cpu time", seconds),
            ("Max file size", "0"),
            ("Max core file size", "0"),
            ("Max processes", "0"),
            ("Max open files", "3"),
        ] {
            let limit = (name.to_owned(), value.to_owned(), value.to_owned());
            assert!(limits.contains(&limit), "{name}: {limits:?}");
        }
        assert_eq!(waiting.descriptors(), ["0", "1", "2"], "though its parent left another open");
        let module = packed("answers_1", &manifest("com.example.answer", 1, ANSWER_SCHEMA));
        let answer = waiting.answer(&module);
        if purpose == ["--describe"] {
            let description: Value = serde_json::from_slice(&answer).expect("a description is JSON");
            assert!(description["exports"][0].as_str().unwrap().starts_with("bulkhead:agent/handler@"));
        } else {
            assert!(answer.starts_with(b"\x7fELF"), "and with all that it compiles");
        }
    }
    drop(open);
}

/// What is said of a module if this shell script is the compiler.
fn said_with(script: &str) -> String {
    let place = Place::new();
    let file = place.answers(1);
    let path = place.path("compiler");
    bulkhead_test_support::script(&path, script);
    let usual = place.command(&["install", file.to_str().unwrap()]);
    let own = compiler();
    let args = usual.get_args().map(|arg| if arg == own.as_os_str() { path.as_os_str() } else { arg });
    let output = Command::new(usual.get_program()).args(args).stdin(Stdio::null()).output();
    let output = output.expect("the tool can be started");
    let said = String::from_utf8(output.stderr).expect("a tool speaks UTF-8");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!place.store().exists(), "nothing was written: {said}");
    let text = format!("bulkhead: {} is not installed: ", file.display());
    said.strip_prefix(&text).unwrap_or_else(|| panic!("{said}")).trim_end().to_owned()
}

#[test]
fn a_compiler_that_misbehaves_is_one_sentence() {
    assert_eq!(said_with("exec cat /dev/zero"), "its machine code is longer than 32 MiB");
    assert_eq!(said_with("echo it is no good >&2; exit 1"), "it is no good");
    assert_eq!(said_with("exit 1"), "the compiler has failed (exit status: 1)");
    let nonsense = said_with("cat >/dev/null; echo nonsense");
    assert!(nonsense.starts_with("the compiler's description cannot be read: "), "{nonsense}");
    assert_eq!(said_with("cat >/dev/null; echo '{}'"), "the compiler's description lacks a manifest");
    let lies =
        r#"cat >/dev/null; echo '{"manifest": "{}", "imports": [], "exports": ["bulkhead:agent/handler@0.1.0"]}'"#;
    let lies = said_with(lies);
    assert!(lies.starts_with("the manifest cannot be read"), "{lies}");
    assert!(said_with("kill -SEGV $$").starts_with("the compiler was ended by signal 11"));
}
