//! Bad input, all of it refused before any code is loaded, while an agent on the same store keeps answering with what it had.

use bulkhead_modules_tests::bytes::{component, module, number, repeated, replaced};
use bulkhead_modules_tests::{ANSWER, ANSWER_SCHEMA, Place, manifest, packed, replacing, sample};
use bulkhead_store::{Expect, Manifest, SelfTest, Store};
use bulkhead_test_support::{Agent, Client};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::Uid;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a refusal may take. It bounds a bomb that goes off: honest refusals take milliseconds, and this is for a machine that does
/// other things too.
const REFUSAL: Duration = Duration::from_secs(20);

/// A module of the store, as far as the owner decides it: what becomes of a probation is the agent's to write.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    is_enabled: bool,
    counter: u64,
    current: Option<String>,
    digests: Vec<String>,
}

/// A place where version 1 of the good sample is installed, and an agent that answers with it.
struct Served {
    place: Place,
    _agent: Agent,
    client: Client,
}

impl Served {
    fn new() -> Self {
        Self::of(Place::new())
    }

    fn of(place: Place) -> Self {
        place.install(&place.answers(1)).good();
        let agent = place.agent();
        let client = agent.client();
        let mut served = Served { place, _agent: agent, client };
        served.still_answers();
        served
    }

    fn still_answers(&mut self) {
        assert_eq!(self.client.call(ANSWER, Value::Null).ok(), json!(1));
    }

    fn installed(&self) -> Vec<Entry> {
        let state = Store::new(self.place.store()).read().unwrap();
        let entries = state.modules.into_iter().map(|(name, it)| {
            let digests = it.versions.into_iter().map(|version| version.digest).collect();
            Entry { name, is_enabled: it.enabled, counter: it.counter, current: it.current, digests }
        });
        entries.collect()
    }

    /// What is said of a file that must not be installed; and nothing has changed by it.
    fn refused(&mut self, file: &Path) -> String {
        let before = self.installed();
        let begin = Instant::now();
        let said = self.place.install(file).bad();
        assert!(begin.elapsed() < REFUSAL, "it took {:?}: {said}", begin.elapsed());
        assert_eq!(self.installed(), before, "{said}");
        let text = format!("bulkhead: {} is not installed: ", file.display());
        said.strip_prefix(&text).unwrap_or_else(|| panic!("{said}")).trim_end().to_owned()
    }

    /// The same of the bytes of a file, signed by the vendor.
    fn refused_bytes(&mut self, bytes: &[u8], words: &str) {
        let file = self.place.signed("bad.wasm", bytes);
        let said = self.refused(&file);
        assert!(said.contains(words), "'{words}' is not in: {said}");
        self.still_answers();
    }
}

fn answer(version: u64) -> Manifest {
    manifest("com.example.answer", version, ANSWER_SCHEMA)
}

#[test]
fn what_was_changed_after_signing() {
    let mut served = Served::new();
    let file = served.place.answers(2);
    let good = fs::read(&file).unwrap();
    for step in 0..1000 {
        let mut bytes = good.clone();
        let at = step * good.len() / 1000;
        bytes[at] ^= 1 << (step % 8);
        fs::write(&file, &bytes).unwrap();
        let said = served.refused(&file);
        assert!(said.starts_with("the signature is not one of this file"), "bit of byte {at}: {said}");
    }
    for step in 0..50 {
        fs::write(&file, &good[..step * good.len() / 50]).unwrap();
        assert!(served.refused(&file).starts_with("the signature is not one of this file"));
    }
    served.still_answers();
    fs::write(&file, &good).unwrap();
    served.place.install(&file).good();
}

#[test]
fn what_was_broken_before_signing() {
    let mut served = Served::new();
    let good = packed("answers_2", &answer(2));
    for step in 0..40 {
        served.refused_bytes(&good[..step * good.len() / 40], "it ");
    }
    // Some bits change nothing that matters. But nothing breaks, and what installs would have answered.
    for step in 0..24 {
        let mut bytes = good.clone();
        bytes[(step * 2 + 1) * good.len() / 48] ^= 0x10;
        let file = served.place.signed("flipped.wasm", &bytes);
        let said = served.place.tool(&["install", "--dry-run", file.to_str().unwrap()]);
        assert!(matches!(said.status, Some(0 | 1)) && !said.err.contains("panicked"), "{said:?}");
    }
    served.still_answers();
}

#[test]
fn what_is_no_component() {
    let mut served = Served::new();
    served.refused_bytes(b"", "it is not WebAssembly");
    served.refused_bytes(b"\x7fELF\x02\x01\x01", "it is not WebAssembly");
    let core = answer(2).append(&module(&[]));
    served.refused_bytes(&core, "it is a core module, not a component");
    served.refused_bytes(&sample("answers_2"), "it has no manifest: make one with 'bulkhead module pack'");
    served.refused_bytes(&answer(2).append(&component(&[])), "it does not export bulkhead:agent/handler@0.1.0");
    let twice = answer(2).append(&packed("answers_2", &answer(2)));
    served.refused_bytes(&twice, "more than one manifest");
    let buried = [packed("answers_2", &answer(2)), vec![0, 2, 1, b'x']].concat();
    served.refused_bytes(&buried, "its manifest is not its last section");
}

#[test]
fn what_this_agent_does_not_run() {
    let mut served = Served::new();
    let mut refused = |sections: &[(u8, Vec<u8>)], words: &str| {
        let bytes = answer(2).append(&component(&[module(sections)]));
        served.refused_bytes(&bytes, words);
        // Whoever tries it out is told the same.
        let file = served.place.write("tried.wasm", &bytes);
        let cases = served.place.write("cases.toml", "[[case]]\nname = \"x\"\nrequest = { execute = \"x\" }\n");
        let (file, cases) = (file.to_str().unwrap(), cases.to_str().unwrap().to_owned());
        for tool in [&["inspect", file][..], &["run", file, "x"], &["test", file, "--cases", &cases]] {
            let said = served.place.tool(tool).bad();
            assert!(said.contains(words) && said.trim_end().lines().count() == 1, "{tool:?}: {said}");
        }
    };
    let refusal = "it uses WebAssembly that this agent does not run: ";
    refused(&[(5, vec![1, 4, 1])], &format!("{refusal}64-bit memories; build it without"));
    refused(&[(5, vec![2, 0, 1, 0, 1])], &format!("{refusal}more than one memory in a core module; build it without"));
    // A function that ends with a call of itself.
    let calls_itself = [(1, vec![1, 0x60, 0, 0]), (3, vec![1, 0]), (10, vec![1, 4, 0, 0x12, 0, 0x0b])];
    refused(&calls_itself, &format!("{refusal}tail calls; build it without"));
    refused(&[(1, vec![1, 0x5f, 0])], &format!("{refusal}garbage collection"));
    refused(&[(4, vec![1, 0x6f, 0, 1])], &format!("{refusal}garbage-collected references; build it without"));
}

#[test]
fn imports_that_the_host_or_the_policy_does_not_have() {
    let mut served = Served::new();
    let good = packed("asks_power", &answer(2));
    let other = replaced(&good, "bulkhead:agent/power@0.1.0", "bulkhead:agent/tower@0.1.0");
    served.refused_bytes(&other, "it imports bulkhead:agent/tower@0.1.0, which the host does not offer");
    let newer = replaced(&good, "bulkhead:agent/power@0.1.0", "bulkhead:agent/power@0.2.0");
    served.refused_bytes(&newer, "it imports bulkhead:agent/power@0.2.0, and the host offers version 0.1.0");
    let needs = "the policy grants com.example.answer nothing of power, which it imports: add\n\n[[permit]]\ncapability = \"power\"";
    served.refused_bytes(&good, needs);
}

#[test]
fn files_that_are_too_long_and_bombs() {
    let mut served = Served::new();
    let long = served.place.write("long.wasm", b"");
    File::options().write(true).open(&long).unwrap().set_len(100 << 20).unwrap();
    served.place.write("long.wasm.minisig", "untrusted comment: x\n");
    assert!(served.refused(&long).contains("is longer than"));
    served.still_answers();
    let mut bomb = |sections: &[(u8, Vec<u8>)], words: &str| {
        served.refused_bytes(&answer(2).append(&component(&[module(sections)])), words);
    };
    // A memory of 4 GiB, with a byte at its end.
    let end = [&[1, 0, 0x41][..], &[0xff, 0xff, 0x7f], &[0x0b, 1, 1]].concat();
    bomb(&[(5, [vec![1, 0], number(65_536)].concat()), (11, end)], "bytes of memory to begin with, more than 16777216");
    bomb(&[(4, [vec![1, 0x70, 0], number(10_000_000)].concat())], "elements of tables to begin with");
    let types = (1, vec![1, 0x60, 0, 0]);
    let functions = (3, repeated(500_000, &[0]));
    bomb(&[types.clone(), functions, (10, repeated(500_000, &[2, 0, 0x0b]))], "functions, more than");
    // Fifty thousand variables in each of a hundred functions, of six bytes each.
    let body = [vec![6, 1], number(50_000), vec![0x7f, 0x0b]].concat();
    bomb(&[types, (3, repeated(100, &[0])), (10, repeated(100, &body))], "local variables, more than");
    bomb(&[(5, vec![1, 0, 1]), (11, repeated(400_000, &[1, 0]))], "segments, more than");
    let many = vec![module(&[]); 1000];
    served.refused_bytes(&answer(2).append(&component(&many)), "modules and components inside, more than");
}

#[test]
fn manifests_that_lie() {
    let mut served = Served::new();
    let with = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = answer(2);
        change(&mut manifest);
        packed("answers_2", &manifest)
    };
    let twice = with(&|it| it.commands.push(it.commands[0].clone()));
    served.refused_bytes(&twice, "the command __com.example_answer is there twice");
    let ping = with(&|it| it.commands[0].name = "guest-ping".to_owned());
    served.refused_bytes(&ping, "guest-ping cannot be a command of com.example.answer");
    served.refused_bytes(&with(&|it| it.commands[0].while_frozen = true), "the schema says otherwise");
    served.refused_bytes(&with(&|it| it.commands.clear()), "it has 0 commands");
    served.refused_bytes(&with(&|it| it.agent = "9.0.0".to_owned()), "it works with agent 9.0.0 or newer");
    served.refused_bytes(&with(&|it| it.name = "fila".to_owned()), "vendor.pub");
    served.refused_bytes(&packed("knows_another", &answer(2)), "it does not know the command __com.example_answer");
    served.refused_bytes(&packed("traps_at_once", &answer(2)), "it does not answer __com.example_answer");
    let expects = |expect: Expect, arguments: &str| {
        let test = SelfTest { execute: ANSWER.to_owned(), arguments: arguments.to_owned(), expect };
        with(&|it| it.self_test = vec![test.clone()])
    };
    served.refused_bytes(
        &expects(Expect::Return("1".to_owned()), "{}"),
        "its self-test 1, of __com.example_answer, fails: it returns 2",
    );
    served.refused_bytes(&expects(Expect::Answer, "{\"how\":\"spin\"}"), "it does not answer __com.example_answer");
    let good = served.place.signed("good.wasm", &expects(Expect::Return("2".to_owned()), "{\"how\":\"\"}"));
    served.place.install(&good).good();
}

#[test]
fn commands_and_places_of_others() {
    let mut served = Served::new();
    let other = manifest("com.example.answer.more", 1, ANSWER_SCHEMA);
    served.refused_bytes(&packed("answers_2", &other), "is one of the installed module com.example.answer");
    served
        .refused_bytes(&replacing("core", 1), "the policy does not let it take the place of the built-in module core");
}

#[test]
fn keys_that_do_not_count() {
    let mut served = Served::new();
    let file = served.place.answers(2);
    fs::remove_file(file.with_extension("wasm.minisig")).unwrap();
    assert!(served.refused(&file).starts_with("it is not signed"));
    served.place.make_key("stranger");
    served.place.sign_with("stranger", &file);
    assert!(served.refused(&file).contains("was made by a key that is not in"));
    served.place.trust("stranger", "modules: com.other.*\n");
    assert!(served.refused(&file).contains("may not sign the module com.example.answer"));
    served.place.trust("stranger", "");
    assert!(served.refused(&file).contains("may not sign the module"));
    served.place.trust("stranger", "modules: com.example.*\nexpires: 2020-02-29\n");
    assert!(served.refused(&file).contains("has expired on 2020-02-29"));
    let another = served.place.answers(1).with_extension("wasm.minisig");
    fs::copy(another, file.with_extension("wasm.minisig")).unwrap();
    assert!(served.refused(&file).starts_with("the signature is not one of this file"));
    served.place.write("answers-2.wasm.minisig", "untrusted comment: x\nRWQ\n");
    assert!(served.refused(&file).starts_with("the signature cannot be read"));
    served.place.write("keys.d/broken.pub", "no key\n");
    served.place.sign(&file);
    assert!(served.refused(&file).contains("broken.pub"), "the owner meant a key");
    served.still_answers();
}

#[test]
fn a_counter_that_goes_back() {
    let mut served = Served::new();
    let newer = Manifest { counter: 7, ..answer(2) };
    let file = served.place.signed("newer.wasm", &packed("answers_1", &newer));
    served.place.install(&file).good();
    served.refused_bytes(&packed("answers_2", &answer(6)), "its counter is 6");
    served.refused_bytes(&packed("answers_2", &answer(7)), "has the counter 7 too");
}

#[test]
fn what_others_can_write() {
    let mut served = Served::new();
    let good = served.place.answers(2);
    fs::create_dir(served.place.path("drop")).unwrap();
    let file = served.place.path("drop/m.wasm");
    let signature = served.place.path("drop/m.wasm.minisig");
    fs::copy(&good, &file).unwrap();
    fs::copy(good.with_extension("wasm.minisig"), &signature).unwrap();
    let chmod = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let folder = served.place.path("drop");
    let keys = served.place.path("keys.d");
    for (path, mode) in [(&file, 0o666), (&signature, 0o666), (&folder, 0o777), (&keys, 0o777)] {
        let before = fs::metadata(path).unwrap().permissions().mode();
        chmod(path, mode);
        let said = served.refused(&file);
        assert!(said.contains(&format!("chmod go-w {}", path.display())), "{said}");
        chmod(path, before & 0o7777);
    }
    served.still_answers();
    served.place.install(&file).good();
}

#[test]
fn a_store_behind_a_link_or_open_to_all() {
    let mut served = Served::new();
    let (file, link, open) = (served.place.answers(2), served.place.path("link"), served.place.path("open"));
    symlink(served.place.store(), &link).unwrap();
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    for store in [&link, &open] {
        for tool in [&["install", file.to_str().unwrap()][..], &["list"], &["gc"], &["disable", "com.example.answer"]] {
            let said = served.place.tool_on(store, tool).bad();
            assert!(said.contains(store.to_str().unwrap()), "{tool:?}: {said}");
        }
    }
    served.still_answers();
}

/// A file system in memory of some size, for the store.
struct Disk(PathBuf);

impl Disk {
    fn new(at: PathBuf, options: &str) -> Self {
        fs::create_dir(&at).unwrap();
        mount(Some("tmpfs"), &at, Some("tmpfs"), MsFlags::empty(), Some(options)).expect("root can mount a tmpfs");
        Disk(at)
    }

    fn set_read_only(&self, read_only: bool) {
        let flags = MsFlags::MS_REMOUNT | if read_only { MsFlags::MS_RDONLY } else { MsFlags::empty() };
        mount(Some("tmpfs"), &self.0, None::<&str>, flags, None::<&str>).expect("a tmpfs can be mounted again");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

#[test]
fn a_disk_that_is_full_or_read_only() {
    if !Uid::effective().is_root() {
        println!("skipped: only root can mount a small disk");
        return;
    }
    let place = Place::new();
    let disk = Disk::new(place.store(), "size=8m,mode=755");
    let mut served = Served::of(place);
    let file = served.place.answers(2);
    // At every fill the install ends with the same words, and leaves nothing behind.
    let filler = served.place.store().join("filler");
    let before = fs::read_dir(served.place.store().join("objects")).unwrap().count();
    for free_pages in [0, 1, 10, 60] {
        fill(&filler, free_pages);
        let said = served.refused(&file);
        assert!(said.contains("No space left on device"), "{free_pages} pages: {said}");
        served.place.tool(&["list"]).good();
        fs::remove_file(&filler).unwrap();
        assert_eq!(fs::read_dir(served.place.store().join("objects")).unwrap().count(), before);
        served.still_answers();
    }
    disk.set_read_only(true);
    let said = served.refused(&file);
    assert!(said.contains("Read-only file system"), "{said}");
    served.place.tool(&["list"]).good();
    served.place.tool(&["verify"]).good();
    served.still_answers();
    disk.set_read_only(false);
    served.place.install(&file).good();
    drop(served);
}

/// Writes until the disk is full, and takes so many pages back.
fn fill(path: &Path, free_pages: u64) {
    use std::io::Write;
    let mut file = File::create(path).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    let length = file.metadata().unwrap().len() / 4096 * 4096;
    file.set_len(length.saturating_sub(free_pages * 4096)).unwrap();
}
