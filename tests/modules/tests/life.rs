//! The life of a module, as an owner sees it: a transcript of the tools.

use bulkhead_modules_tests::{ANSWER, ANSWER_SCHEMA, Place, manifest, packed, replacing};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::path::Path;

/// The digests and the key's number change with every run of the tests.
fn without_numbers(text: &str) -> String {
    let is_number = |word: &str| word.len() >= 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = text.split_inclusive([' ', '\n', '(', ')']).map(|word| {
        let bare = word.trim_end_matches([' ', '\n', '(', ')']);
        if is_number(bare) { word.replace(bare, "#") } else { word.to_owned() }
    });
    words.collect()
}

fn table(place: &Place) -> String {
    let list = place.tool(&["list"]).good();
    let installed = list.lines().filter(|line| line.contains("com.example"));
    let words = installed.map(|line| without_numbers(line).split_whitespace().take(5).collect::<Vec<_>>().join(" "));
    words.collect::<Vec<_>>().join("\n")
}

#[test]
fn from_the_first_version_to_the_end() {
    let place = Place::new();
    let (first, second) = (place.answers(1), place.answers(2));
    let tool = |words: &str| without_numbers(&place.tool(&words.split(' ').collect::<Vec<_>>()).good());

    assert_eq!(place.tool(&["verify"]).good(), "no module is installed\n");
    let said = without_numbers(&place.tool(&["install", "--dry-run", first.to_str().unwrap()]).good());
    assert_eq!(said, "com.example.answer 1.0 could be installed: sha256 #\n");
    assert!(!place.store().exists(), "nothing was written");

    let said = without_numbers(&place.install(&first).good());
    assert!(said.starts_with("com.example.answer 1.0 is installed, and current: sha256 #\n"), "{said}");
    assert!(place.install(&first).good().starts_with("com.example.answer 1.0 is installed already, and current: "));
    assert_eq!(table(&place), "com.example.answer 1.0 probation 1 #");

    place.install(&second).good();
    assert_eq!(table(&place), "com.example.answer 2.0 probation 1 #\ncom.example.answer 1.0 kept 1 #");
    let verified = without_numbers(&place.tool(&["verify"]).good());
    assert!(verified.starts_with("com.example.answer 2.0 (#): good, signed by vendor.pub"), "{verified}");
    assert_eq!(verified.lines().count(), 2);

    assert!(tool("disable com.example.answer").starts_with("com.example.answer is disabled"));
    assert!(table(&place).starts_with("com.example.answer 2.0 disabled"));
    assert_eq!(tool("enable com.example.answer"), "com.example.answer 2.0 is enabled, and current\n");

    assert_eq!(tool("rollback com.example.answer"), "com.example.answer 1.0 is current: sha256 #\n");
    assert!(
        place.install(&second).good().contains("2.0 is installed, and current"),
        "what is kept comes back by its file too"
    );
    assert_eq!(tool("rollback com.example.answer --to 1.0"), "com.example.answer 1.0 is current: sha256 #\n");
    let said = place.tool(&["rollback", "com.example.answer"]).bad();
    assert!(said.contains("has no version before the current one: '--to none' takes its commands away"), "{said}");
    let said = tool("rollback com.example.answer --to none");
    assert_eq!(said, "no version of com.example.answer is current: its commands are gone until one is\n");
    assert!(place.tool(&["rollback", "com.example.answer"]).bad().contains("say --to which one you want"));

    let said = tool("remove com.example.answer");
    assert!(said.contains("a version with a counter below 2 is not installed again"), "{said}");
    assert_eq!(table(&place), "");
    assert!(
        place.install(&first).bad().contains("its counter is 1, and com.example.answer was installed with 2 before")
    );
    let gone = place.tool(&["gc"]).good();
    assert!(gone.starts_with(&format!("{} files removed, ", 2 * files_of_a_version())), "{gone}");
    assert_eq!(place.tool(&["gc"]).good(), "0 files removed, 0 KiB\n");
    place.install(&second).good();
    assert_eq!(table(&place), "com.example.answer 2.0 probation 1 #");
}

/// The component, its signature, and the code in every form.
fn files_of_a_version() -> usize {
    2 + if cfg!(target_arch = "x86_64") { 2 } else { 1 }
}

#[test]
fn install_says_what_the_running_agent_has_made_of_it() {
    let place = Place::new();
    let said_beside = |statedir: &Path, version: u64, extra: &[&str]| {
        let file = place.answers(version);
        let options = [&["install", file.to_str().unwrap(), "--statedir", statedir.to_str().unwrap()][..], extra];
        let said = place.tool(&options.concat()).good();
        let (first, rest) = said.split_once('\n').unwrap();
        assert!(first.contains("is installed, and current"), "{said}");
        rest.to_owned()
    };
    let nobody = place.path("nobody");
    let none =
        format!("No agent runs with the state directory {}: the next one has it from its start.\n", nobody.display());
    assert_eq!(said_beside(&nobody, 1, &[]), none);

    let agent = place.agent();
    assert_eq!(agent.client().call(ANSWER, Value::Null).ok(), json!(1));
    let taken = format!("The agent (process {}) has taken it over.\n", agent.pid());
    assert_eq!(said_beside(agent.scratch().path(), 2, &[]), taken);
    assert_eq!(agent.client().call(ANSWER, Value::Null).ok(), json!(2), "the very next request finds it");
    place.tool(&["rollback", "com.example.answer"]).good();
    let file = place.answers(2);
    let said = place.tool(&["install", "--no-wait", file.to_str().unwrap()]).good();
    assert_eq!(said.lines().count(), 1, "{said}");

    place.tool(&["rollback", "com.example.answer"]).good();
    let another = format!("its modules are in {}.\n", place.store().display());
    let said = place.tool_on(
        &place.path("another"),
        &["install", file.to_str().unwrap(), "--statedir", agent.scratch().path().to_str().unwrap()],
    );
    assert!(said.good().ends_with(&another));

    place.tool(&["disable", "com.example.answer"]).good();
    let disabled = "It is disabled: 'bulkhead module enable com.example.answer' lets it run.\n";
    assert_eq!(said_beside(agent.scratch().path(), 2, &[]), disabled);
    place.tool(&["enable", "com.example.answer"]).good();
    place.tool(&["rollback", "com.example.answer"]).good();

    // The agent has not read the policy again that lets the module be installed.
    let rule = "\n[[module]]\nnames = [\"core\"]\nreplace = true\nreason = \"a test\"\n";
    place.write("policy.toml", format!("{}{rule}", bulkhead_modules_tests::SAMPLES_POLICY));
    let core = place.signed("core.wasm", &replacing("core", 1));
    let statedir = agent.scratch().path().to_str().unwrap();
    let said = place.tool(&["install", core.to_str().unwrap(), "--statedir", statedir]).good();
    assert!(said.contains("leaves it out: the policy does not say 'replace = true' of core"), "{said}");
    assert!(
        said.contains("the agent has an older policy in force: 'bulkhead policy reload' has it read that"),
        "{said}"
    );

    // It is stopped, as one that is busy with a long request.
    kill(Pid::from_raw(agent.pid() as i32), Signal::SIGSTOP).unwrap();
    let said = said_beside(agent.scratch().path(), 2, &[]);
    assert!(said.contains("has not taken it over within 3 s: 'bulkhead status' tells when it has"), "{said}");
}

#[test]
fn inspect_tells_what_a_module_is() {
    let place = Place::new();
    let mut module = manifest("com.example.answer", 1, ANSWER_SCHEMA);
    module.description = "Answers \u{202e}backwards.".to_owned();
    let file = place.write("m.wasm", packed("asks_power", &module));
    let said = place.tool(&["inspect", file.to_str().unwrap()]).good();
    for line in [
        "com.example.answer 1.0",
        "  Answers \\u{202e}backwards.",
        "  signed by  nobody: the file is not signed",
        "    __com.example_answer: clients may use it",
        "        Answers with a number.",
        "        how (optional): 'trap' for a trap, 'spin' for no end",
        "        Returns: the number",
        "    power: Switch the machine off, over or to sleep. (not granted)",
    ] {
        assert!(said.lines().any(|it| it == line), "'{line}' is not in:\n{said}");
    }
    place.sign(&file);
    let said = place.tool(&["inspect", file.to_str().unwrap()]).good();
    assert!(said.contains("  signed by  vendor.pub ("), "{said}");
    place.install(&place.answers(1)).good();
    let said = place.tool(&["inspect", "com.example.answer"]).good();
    assert!(said.contains("  State      current\n") && said.contains("nothing: it can only compute"), "{said}");
    assert!(place.tool(&["inspect", "com.example.other"]).bad().contains("there are com.example.answer"));
}

#[test]
fn a_module_that_opens_files_can_be_tried() {
    let place = Place::new();
    let file = place.write("file.wasm", replacing("file", 1));
    let file = file.to_str().unwrap();
    place.write(
        "cases.toml",
        "[[case]]\nname = \"it is there\"\nrequest = { execute = \"guest-file-open\", arguments = { path = \"/var/lib/jobs/daily\" } }\n\
         returns = 1000\ndoes = [\"open /var/lib/jobs/daily\"]\n[case.host]\nfiles = { \"/var/lib/jobs/daily\" = \"done\" }\n",
    );
    assert!(place.tool(&["test", file]).good().ends_with("1 passed, 0 failed\n"));
    // In front of this machine: what is there is opened, and what is not there is not.
    let open = |path: &str| json!({ "execute": "guest-file-open", "arguments": { "path": path } }).to_string();
    let there = open(place.path("policy.toml").to_str().unwrap());
    assert!(place.tool(&["run", "--here", file, &there]).good().starts_with("{\"return\":1000}"));
    let said = place.tool(&["run", "--here", file, &open("/no/such/folder/file")]);
    assert!(said.status == Some(1) && said.out.contains("No such file or directory"), "{said:?}");
}

#[test]
fn list_speaks_json() {
    let place = Place::new();
    place.install(&place.answers(1)).good();
    let list: Value = serde_json::from_str(&place.tool(&["list", "--json"]).good()).unwrap();
    let module = &list["installed"][0];
    assert_eq!(module["name"], "com.example.answer");
    assert_eq!(module["versions"][0]["commands"], json!([ANSWER]));
    assert_eq!(module["current"], module["versions"][0]["digest"]);
    assert!(list["built-in"].as_array().unwrap().iter().any(|it| it["name"] == "file" && it["replaced"] == false));
}

#[test]
fn a_built_in_module_is_replaced_if_the_policy_lets_it() {
    let place = Place::new();
    let file = place.signed("core.wasm", &replacing("core", 1));
    assert!(place.install(&file).bad().contains("[[module]]\nnames = [\"core\"]\nreplace = true"));
    let rule = "\n[[module]]\nnames = [\"core\"]\nreplace = true\nreason = \"a test\"\n";
    place.write("policy.toml", format!("{}{rule}", bulkhead_modules_tests::SAMPLES_POLICY));
    place.install(&file).good();
    let list = place.tool(&["list"]).good();
    assert!(list.lines().any(|line| line.starts_with("core") && line.contains("replaced")), "{list}");
    let said = place.tool(&["rollback", "core"]).good();
    assert_eq!(said, "the built-in module core answers again\n");
}

#[test]
fn code_of_another_engine_is_compiled_again() {
    let place = Place::new();
    place.install(&place.answers(1)).good();
    assert!(place.tool(&["recompile"]).good().starts_with("nothing to do"));
    // As an older agent has left it.
    let state = place.store().join("state.json");
    let text = std::fs::read_to_string(&state).unwrap();
    let begin = text.find("wasmtime ").unwrap();
    let engine = &text[begin..begin + text[begin..].find('"').unwrap()];
    std::fs::write(&state, text.replace(engine, "wasmtime 1.2.3, configuration 0")).unwrap();
    let said = place.tool(&["verify"]);
    assert!(said.out.contains("'bulkhead module recompile' makes it anew") && said.status == Some(1), "{said:?}");
    assert!(place.tool(&["recompile"]).good().contains("com.example.answer 1.0 ("));
    place.tool(&["verify"]).good();
    assert_eq!(std::fs::read_to_string(&state).unwrap().matches(engine).count(), text.matches(engine).count());
    // Whoever lost the owner's trust since gets no new machine code.
    std::fs::write(&state, text.replace(engine, "wasmtime 1.2.3, configuration 0")).unwrap();
    place.trust("vendor", "modules: com.example.*\nexpires: 2020-01-01\n");
    let said = place.tool(&["recompile"]);
    assert!(said.status == Some(1) && said.err.contains("expired"), "{said:?}");
}

#[test]
fn verify_sees_what_was_changed() {
    let place = Place::new();
    place.install(&place.answers(1)).good();
    let codes: Vec<_> = std::fs::read_dir(place.store().join("code")).unwrap().map(|it| it.unwrap().path()).collect();
    let code = codes.first().expect("there is code");
    let mut bytes = std::fs::read(code).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(code, &bytes).unwrap();
    let said = place.tool(&["verify"]);
    assert!(said.status == Some(1) && said.out.contains("was changed since it was installed"), "{said:?}");
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(code, &bytes).unwrap();
    place.tool(&["verify"]).good();
    std::fs::remove_file(place.path("keys.d/vendor.pub")).unwrap();
    let said = place.tool(&["verify"]);
    assert!(said.status == Some(1) && said.out.contains("a key that is not in"), "{said:?}");
}
