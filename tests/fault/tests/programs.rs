//! Programs that are called by other ways than they seem to, against the real agent with a policy of its owner.

use bulkhead_test_support::{Agent, Client, Scratch, agent_under_test};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::unistd::geteuid;
use serde_json::{Value, json};
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const DENIED: &str = "Permission denied";

/// A folder with programs, and an agent.
struct Shop {
    agent: Agent,
    client: Client,
}

impl Shop {
    /// With the programs `good` and `bad`, and with `rules`, in which `~` stands for the folder.
    fn new(rules: &str) -> Self {
        let scratch = Scratch::new("shop");
        std::fs::set_permissions(scratch.path(), Permissions::from_mode(0o755)).expect("it is ours");
        let head = "version = 1\n[[command]]\nnames = [\"guest-exec*\"]\nmode = \"enforce\"\n";
        let folder = scratch.path().to_str().expect("a scratch folder's name is text").to_owned();
        let policy = scratch.join("policy.toml");
        std::fs::write(&policy, format!("{head}{}", rules.replace('~', &folder))).expect("the policy can be written");
        for (name, text) in [("good", "echo good"), ("bad", &format!("touch {folder}/bad-was-run; echo bad"))] {
            write_program(&scratch.join(name), &format!("#!/bin/sh\n{text}\n"));
        }
        let agent =
            Agent::start_in(scratch, &agent_under_test(), &["--policy", policy.to_str().expect("it is text")], &[]);
        let client = agent.client();
        Shop { agent, client }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.agent.scratch().join(name)
    }

    /// A program as a client names it: below the folder if it begins with `~`.
    fn text(&self, name: &str) -> String {
        name.replace('~', self.agent.scratch().path().to_str().expect("it is text"))
    }

    /// The number of a program that was started, or why it was not.
    fn start(&mut self, program: &str, more: Value) -> Result<i64, String> {
        let mut arguments = json!({ "path": self.text(program), "capture-output": true });
        let more = more.as_object().expect("these are members").clone();
        arguments.as_object_mut().expect("these too").extend(more);
        let reply = self.client.call("guest-exec", arguments);
        match reply.value.pointer("/return/pid") {
            Some(pid) => Ok(pid.as_i64().expect("it is a number")),
            None => Err(reply.desc().rsplit(['(', ')']).nth(1).unwrap_or_default().to_owned()),
        }
    }

    /// What became of it, when it is over.
    fn result(&mut self, pid: i64) -> Value {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let status = self.client.call("guest-exec-status", json!({ "pid": pid })).ok();
            if status["exited"] == json!(true) {
                return status;
            }
            assert!(Instant::now() < end, "process {pid} is still running: {status}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What a program has printed, or why it was not started.
    fn run(&mut self, program: &str, words: &[&str]) -> String {
        self.run_with(program, json!({ "arg": words }))
    }

    fn run_with(&mut self, program: &str, more: Value) -> String {
        match self.start(program, more) {
            Ok(pid) => decoded(&self.result(pid)["out-data"]),
            Err(reason) => reason,
        }
    }

    fn bad_was_run(&self) -> bool {
        self.path("bad-was-run").exists()
    }
}

/// Makes a program. Under another name first: what somebody has open to be written is not executed.
fn write_program(path: &std::path::Path, text: &str) {
    let draft = path.with_extension("draft");
    std::fs::write(&draft, text).expect("it can be written");
    std::fs::set_permissions(&draft, Permissions::from_mode(0o755)).expect("it is ours");
    std::fs::rename(&draft, path).expect("it can be renamed");
}

/// A permit for these programs, with more lines.
fn permit(programs: &[&str], lines: &str) -> String {
    format!(
        "[[permit]]\ncapability = \"processes\"\nmodules = [\"exec\"]\nprograms = {programs:?}\n{lines}\nreason = \"x\"\n"
    )
}

/// The text of base64.
fn decoded(data: &Value) -> String {
    let data = data.as_str().unwrap_or_default();
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for four in data.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = four.iter().fold(0_u32, |bits, byte| bits << 6 | u32::from(digit(*byte)));
        let bits = bits << (6 * (4 - four.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..four.len()]);
    }
    String::from_utf8(bytes).expect("these programs print text")
}

/// The processes that run `sleep` with this argument.
fn sleepers(mark: &str) -> usize {
    let found = Command::new("pgrep").args(["-f", &format!("^sleep {mark}$")]).output().expect("pgrep is there");
    String::from_utf8_lossy(&found.stdout).lines().count()
}

#[test]
fn what_no_rule_permits_is_denied_whether_it_is_there_or_not() {
    let mut shop = Shop::new(&permit(&["~/good", "~/absent"], ""));
    assert_eq!(shop.run("~/good", &["any", "argument"]), "good\n");
    for program in ["~/bad", "/bin/true", "true", "~/nothing", "/no/such/program", "nothing", "", "~", "~/policy.toml"]
    {
        assert_eq!(shop.run(program, &[]), DENIED, "{program}");
    }
    assert_eq!(shop.run("~/absent", &[]), "No such file or directory", "the owner has named it");
    assert!(!shop.bad_was_run());
}

#[test]
fn arguments_fit_a_template_word_by_word() {
    let rules = permit(&["/usr/bin/echo"], "arguments = [[\"say\", \"*\"], [\"-n\", \"**\"], []]");
    let mut shop = Shop::new(&rules);
    assert_eq!(shop.run("/usr/bin/echo", &["say", "* and $(id) and ;"]), "say * and $(id) and ;\n");
    assert_eq!(shop.run("echo", &["-n", "a", "b", "c"]), "a b c");
    assert_eq!(shop.run("/bin/echo", &[]), "\n");
    for words in [&["say"][..], &["say", "a", "b"], &["SAY", "a"], &["-e", "a"], &["say a"], &["", "say", "a"], &[""]] {
        assert_eq!(shop.run("/usr/bin/echo", words), DENIED, "{words:?}");
    }
}

#[test]
fn a_link_is_what_it_leads_to() {
    let mut shop = Shop::new(&permit(&["~/good"], ""));
    symlink("good", shop.path("link")).expect("it can be made");
    symlink("bad", shop.path("trap")).expect("it can be made");
    symlink(".", shop.path("folder")).expect("it can be made");
    symlink("loop", shop.path("loop")).expect("it can be made");
    std::fs::hard_link(shop.path("good"), shop.path("other")).expect("it can be made");
    std::fs::copy(shop.path("good"), shop.path("copy")).expect("it can be made");
    for program in ["~/link", "~/folder/good", "~/folder/folder/link", "~/../../~/good", "/tmp/../~//good"] {
        assert_eq!(shop.run(program, &[]), "good\n", "{program}");
    }
    for program in ["~/trap", "~/folder/trap", "~/good/../bad", "~/loop", "~/other", "~/copy", "~/good/", "~/good/."] {
        assert_eq!(shop.run(program, &[]), DENIED, "{program}");
    }
    let path = format!("PATH={}", shop.text("~"));
    assert_eq!(shop.run_with("link", json!({ "env": [path] })), "good\n", "a PATH of the client's leads to the file");
    assert_eq!(shop.run_with("trap", json!({ "env": [path] })), DENIED);
    assert!(!shop.bad_was_run());
}

#[test]
fn a_process_is_no_way_to_a_program() {
    let mut shop = Shop::new(&permit(&["~/good", "/usr/bin/true"], ""));
    for program in [
        "/proc/self/exe",
        "/proc/self/root/usr/bin/true",
        "/proc/1/root/usr/bin/true",
        "/proc/self/cwd/usr/bin/true",
        "/proc/self/fd/0",
        "/proc/self/fd/3",
        "/dev/fd/1",
        "/dev/stdin",
    ] {
        assert_eq!(shop.run(program, &[]), DENIED, "{program}");
    }
    assert_eq!(shop.run("/usr/bin/true", &[]), "");
}

#[test]
fn a_script_brings_its_interpreter_and_permits_it_to_nobody_else() {
    let mut shop = Shop::new(&permit(&["~/good", "~/tell", "~/text"], ""));
    write_program(&shop.path("tell"), "#!/bin/sh -e\necho \"$0 $*\"\n");
    write_program(&shop.path("text"), "touch bad-was-run\n");
    assert_eq!(shop.run("~/tell", &["a", "b"]), "/dev/fd/3 a b\n");
    for shell in ["/bin/sh", "sh", "/usr/bin/dash", "/proc/self/root/bin/sh"] {
        assert_eq!(shop.run(shell, &["-c", "echo it runs"]), DENIED, "{shell}");
    }
    assert_eq!(shop.run("~/text", &[]), "Exec format error", "no shell reads a file that has none");
}

#[test]
fn a_judged_program_is_called_what_it_is() {
    // Who can make a link could else choose what a program with many names (busybox) does.
    let mut shop = Shop::new(&permit(&["/usr/bin/dash"], "arguments = [[\"-c\", \"echo $0\"]]"));
    symlink("/bin/dash", shop.path("another-name")).expect("it can be made");
    assert_eq!(shop.run("~/another-name", &["-c", "echo $0"]), "/usr/bin/dash\n");
    assert_eq!(shop.run("dash", &["-c", "echo $0"]), "/usr/bin/dash\n");
}

/// A link leads to the permitted program and to the forbidden one in turn, for as long as a client starts it.
#[test]
fn a_link_that_is_swapped_in_the_middle_never_leads_to_a_forbidden_program() {
    let mut shop = Shop::new(&permit(&["~/good", "~/house/program"], ""));
    symlink("good", shop.path("link")).expect("it can be made");
    symlink("bad", shop.path("trap")).expect("it can be made");
    for (folder, program) in [("house", "good"), ("lair", "bad")] {
        std::fs::create_dir(shop.path(folder)).expect("it can be made");
        std::fs::copy(shop.path(program), shop.path(folder).join("program")).expect("it can be made");
    }
    symlink("house", shop.path("door")).expect("it can be made");
    symlink("lair", shop.path("trapdoor")).expect("it can be made");
    for (path, one, other) in [("~/link", "link", "trap"), ("~/door/program", "door", "trapdoor")] {
        let (one, other) = (shop.path(one), shop.path(other));
        let over = Arc::new(AtomicBool::new(false));
        let swapping = std::thread::spawn({
            let over = Arc::clone(&over);
            move || {
                while !over.load(Ordering::Relaxed) {
                    renameat2(AT_FDCWD, &one, AT_FDCWD, &other, RenameFlags::RENAME_EXCHANGE).expect("both are there");
                }
            }
        });
        let (mut good, mut denied) = (0, 0);
        for _ in 0..2_000 {
            match shop.run(path, &[]).as_str() {
                "good\n" => good += 1,
                DENIED => denied += 1,
                other => panic!("{other}"),
            }
        }
        over.store(true, Ordering::Relaxed);
        swapping.join().expect("it swaps to the end");
        assert!(good > 100 && denied > 100, "this was no race: {good} and {denied}");
        assert!(!shop.bad_was_run(), "{path}");
    }
}

#[test]
fn the_client_sets_the_variables_it_may_set_and_no_others() {
    let mut shop = Shop::new(&permit(&["/usr/bin/env"], "environment = [\"LANG\", \"PATH\"]\narguments = [[]]"));
    assert_eq!(shop.run_with("/usr/bin/env", json!({ "env": ["LANG=C", "PATH=/bin"] })), "LANG=C\nPATH=/bin\n");
    assert!(shop.run("/usr/bin/env", &[]).contains("PATH="), "without any it has the agent's own");
    for variable in ["LD_PRELOAD=/tmp/evil.so", "LANG ", "LANGUAGE=C", "=", ""] {
        assert_eq!(shop.run_with("/usr/bin/env", json!({ "env": ["LANG=C", variable] })), DENIED, "{variable}");
    }
}

#[test]
fn a_program_runs_as_the_user_that_the_rule_names() {
    if !geteuid().is_root() {
        return println!("skipped: needs root");
    }
    let ids = "#!/bin/sh\nid -u; id -ru; id -G; pwd; echo $HOME; cat /etc/shadow\n";
    let nobody = permit(&["~/ids"], "run-as = \"nobody\"");
    let mut shop = Shop::new(&(nobody + &permit(&["~/good"], "run-as = \"no-such-user\"")));
    write_program(&shop.path("ids"), ids);
    let printed = shop.run("~/ids", &[]);
    let groups = Command::new("id").args(["-G", "nobody"]).output().expect("id is there").stdout;
    let groups = String::from_utf8(groups).expect("these are numbers");
    assert_eq!(printed, format!("65534\n65534\n{groups}/\n/nonexistent\n"));
    assert_eq!(shop.run("~/good", &[]), "Operation not permitted", "and not as root in its place");
    assert!(shop.agent.log().contains("the user as whom it has to run does not exist"), "{}", shop.agent.log());
}

#[test]
fn time_is_up_for_a_program_and_all_that_it_has_started() {
    let mut shop = Shop::new(&permit(&["~/tree", "~/leaves", "~/slow"], "time-limit = \"1s\""));
    let mark = format!("5{}", std::process::id());
    write_program(
        &shop.path("tree"),
        &format!("#!/bin/sh\necho begun\n(sleep {mark} & sleep {mark}) & sleep {mark}\n"),
    );
    write_program(&shop.path("leaves"), &format!("#!/bin/sh\nsleep {mark} &\n"));
    let begin = Instant::now();
    let pid = shop.start("~/tree", json!({})).expect("it is permitted");
    while sleepers(&mark) < 3 {
        assert!(begin.elapsed() < Duration::from_secs(1), "they begin in time");
    }
    // Nobody asks for it.
    while sleepers(&mark) > 0 {
        assert!(begin.elapsed() < Duration::from_secs(10), "they end in time");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(begin.elapsed() >= Duration::from_secs(1), "not before");
    let result = shop.result(pid);
    assert_eq!((&result["signal"], decoded(&result["out-data"]).as_str()), (&json!(9), "begun\n"), "{result}");
    let pid = shop.start("~/leaves", json!({})).expect("it is permitted");
    assert_eq!(shop.result(pid)["exitcode"], 0, "its own end");
    assert_eq!(sleepers(&mark), 0, "what it left has ended with it");
}

#[test]
fn an_agent_sleeps_until_the_time_of_a_program_is_up() {
    let rules = permit(&["/usr/bin/sleep"], "time-limit = \"5s\"");
    let mut shop = Shop::new(&rules);
    let begin = Instant::now();
    let pid = shop.start("sleep", json!({ "arg": ["1000"] })).expect("it is permitted");
    // A thread that has just had work may stay awake for a while.
    std::thread::sleep(Duration::from_secs(2));
    let before = wake_ups(shop.agent.pid());
    std::thread::sleep(Duration::from_millis(2500));
    let between = wake_ups(shop.agent.pid()) - before;
    // A timer far off is looked at in between, as its time comes nearer: not twenty times a second.
    assert!(begin.elapsed() > Duration::from_secs(5) || between <= 2, "{between} wake-ups");
    assert_eq!(shop.result(pid)["signal"], 9);
}

/// How often the threads of a process went to sleep of their own accord.
fn wake_ups(pid: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    let switches = |status: String| {
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).map(str::to_owned);
        line.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or_default()
    };
    tasks.flatten().map(|task| switches(std::fs::read_to_string(task.path().join("status")).unwrap_or_default())).sum()
}

#[test]
fn of_its_output_as_much_is_kept_as_the_rule_says() {
    let mut shop = Shop::new(&permit(&["/usr/bin/echo"], "output-limit = \"4B\""));
    for (word, kept, truncated) in [("abc", "abc\n", false), ("abcd", "abcd", true)] {
        let pid = shop.start("echo", json!({ "arg": [word] })).expect("it is permitted");
        let result = shop.result(pid);
        assert_eq!((decoded(&result["out-data"]).as_str(), &result["out-truncated"]), (kept, &json!(truncated)));
    }
}

#[test]
fn so_many_run_at_once_and_no_more() {
    let mut shop = Shop::new(
        &(permit(&["/usr/bin/sleep", "/usr/bin/true"], "time-limit = \"60s\"") + "[[limit]]\nchildren = 2\n"),
    );
    for _ in 0..20 {
        assert_eq!(shop.run("true", &[]), "", "what has ended does not count");
    }
    let first = shop.start("sleep", json!({ "arg": ["1"] })).expect("there is room");
    let second = shop.start("sleep", json!({ "arg": ["1"] })).expect("there is room");
    assert_eq!(shop.run("true", &[]), "Resource temporarily unavailable");
    assert_eq!((shop.result(first)["exitcode"].clone(), shop.result(second)["exitcode"].clone()), (json!(0), json!(0)));
    assert_eq!(shop.run("true", &[]), "");
}
