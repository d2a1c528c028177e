//! Programs that clients start (guest-exec): they get in the way of neither the agent nor each other, whether anybody asks
//! for them or not.

use base64_simd::STANDARD;
use bulkhead_lifecycle::{Process, script, soon, within};
use bulkhead_test_support::{Agent, Client, Scratch, agent_under_test};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How much of a stream is kept.
const STREAM: usize = 16 << 20;

/// An agent that has run a program, and its client.
fn agent() -> (Agent, Client) {
    let agent = Agent::start(&agent_under_test(), &[]);
    let mut client = agent.client();
    client.patience = Duration::from_secs(60);
    assert_eq!(start_and_wait(&mut client), 0);
    (agent, client)
}

/// Starts a shell with this script; with its output kept if wanted.
fn start(client: &mut Client, script: &str, capture: bool) -> i64 {
    let arguments = json!({ "path": "sh", "arg": ["-c", script], "capture-output": capture });
    client.call("guest-exec", arguments).ok()["pid"].as_i64().expect("a process id is a number")
}

fn status(client: &mut Client, pid: i64) -> Value {
    client.call("guest-exec-status", json!({ "pid": pid })).ok()
}

/// Asks until the program is over.
fn result(client: &mut Client, pid: i64) -> Value {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let status = status(client, pid);
        if status["exited"] == true {
            return status;
        }
        assert!(Instant::now() < end, "process {pid} still runs after 30 s");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The exit status of a program whose output is kept.
fn start_and_wait(client: &mut Client) -> i64 {
    let pid = start(client, "exit 0", true);
    result(client, pid)["exitcode"].as_i64().expect("it has ended by itself")
}

fn process(pid: i64) -> Process {
    Process::new(u32::try_from(pid).expect("a process id is positive"))
}

/// The children of the agent that nobody has waited for, whether they run or not.
fn children(agent: &Agent) -> usize {
    let tasks = fs::read_dir(format!("/proc/{}/task", agent.pid())).expect("the agent is running");
    let lists = tasks.map(|task| fs::read_to_string(task.expect("it can be listed").path().join("children")));
    lists.map(|list| list.unwrap_or_default().split_whitespace().count()).sum()
}

#[test]
fn a_hundred_at_once() {
    let (agent, mut client) = agent();
    let descriptors = Process::new(agent.pid()).descriptors();
    let go = agent.scratch().join("go");
    let script = format!("until [ -e {} ]; do sleep 0.05; done; echo $$; echo $$ >&2; exit 7", go.display());
    let pids: Vec<i64> = (0..100).map(|_| start(&mut client, &script, true)).collect();
    assert!(pids.iter().all(|pid| status(&mut client, *pid) == json!({ "exited": false })));
    assert_eq!(children(&agent), 100);
    fs::write(go, "").unwrap();
    for pid in &pids {
        let own = STANDARD.encode_to_string(format!("{pid}\n"));
        let expected = json!({
            "exited": true, "exitcode": 7,
            "out-data": own, "out-truncated": false, "err-data": own, "err-truncated": false,
        });
        assert_eq!(result(&mut client, *pid), expected);
    }
    assert_eq!(children(&agent), 0);
    assert_eq!(Process::new(agent.pid()).descriptors(), descriptors);
}

#[test]
fn one_that_prints_more_than_is_kept_is_neither_held_up_nor_holds_up() {
    let (agent, mut client) = agent();
    let done = agent.scratch().join("done");
    let pid = start(&mut client, &format!("head -c 40000000 /dev/zero; touch {}", done.display()), true);
    let endless = start(&mut client, "exec yes", true);
    let end = Instant::now() + Duration::from_secs(10);
    while !done.exists() {
        assert!(Instant::now() < end, "40 MB are not printed if nobody asks");
        client.send(br#"{"execute":"guest-ping"}"#);
        let reply = client.try_reply(Duration::from_secs(1)).expect("a ping is answered meanwhile");
        assert_eq!(reply.ok(), json!({}));
        std::thread::sleep(Duration::from_millis(2));
    }
    start(&mut client, "exit 0", false);
    soon("only the endless one is left", || children(&agent) == 1);
    for (pid, ending) in [(pid, ("exitcode", 0)), (endless, ("signal", 9))] {
        if pid == endless {
            process(endless).kill();
        }
        let result = result(&mut client, pid);
        assert_eq!((&result[ending.0], &result["out-truncated"]), (&json!(ending.1), &json!(true)));
        assert_eq!(result["out-data"].as_str().unwrap().len(), STREAM.div_ceil(3) * 4);
    }
}

#[test]
fn the_dead_are_waited_for_though_nobody_asks() {
    let (agent, mut client) = agent();
    let pids: Vec<i64> = (0..50).map(|turn| start(&mut client, "exit 3", turn % 2 == 0)).collect();
    soon("no child is left", || children(&agent) == 0);
    assert!(pids.iter().all(|pid| process(*pid).is_gone()));
    assert!(pids.iter().all(|pid| result(&mut client, *pid)["exitcode"] == 3), "and how they ended is not forgotten");
}

#[test]
fn nothing_is_left_behind() {
    let (agent, mut client) = agent();
    let process = Process::new(agent.pid());
    let before = (process.descriptors(), process.memory().anonymous);
    for turn in 0..200 {
        let arguments = match turn % 4 {
            0 => json!({ "path": "true" }),
            1 => json!({ "path": "cat", "input-data": "QUJD".repeat(10_000), "capture-output": true }),
            2 => json!({ "path": "/no/such/program", "input-data": "QUJD", "capture-output": true }),
            _ => json!({ "path": "true", "input-data": "QUJD?" }),
        };
        let reply = client.call("guest-exec", arguments);
        if turn % 4 < 2 {
            assert_eq!(result(&mut client, reply.ok()["pid"].as_i64().unwrap())["exitcode"], 0);
        } else {
            assert_eq!(reply.class(), "GenericError");
        }
    }
    assert_eq!(process.descriptors(), before.0);
    let now = process.memory().anonymous;
    assert!(now <= before.1 + 2048, "{now} KiB after {} KiB", before.1);
}

#[test]
fn large_results_and_large_input_are_given_back() {
    let (agent, mut client) = agent();
    let process = Process::new(agent.pid());
    let before = process.memory().anonymous;
    let pid = start(&mut client, "head -c 20000000 /dev/zero; head -c 20000000 /dev/zero >&2", true);
    let result = result(&mut client, pid);
    assert_eq!((&result["out-truncated"], &result["err-truncated"]), (&json!(true), &json!(true)));
    let input = "QUJD".repeat(10 << 20);
    let reply = client.call("guest-exec", json!({ "path": "true", "input-data": input }));
    self::result(&mut client, reply.ok()["pid"].as_i64().unwrap());
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
    soon("what they took is given back", || process.memory().anonymous <= before + 4096);
}

#[test]
fn they_live_on_when_the_agent_ends() {
    let (mut agent, mut client) = agent();
    let pids = [start(&mut client, "exec sleep 300", true), start(&mut client, "exec sleep 300", false)];
    Process::new(agent.pid()).signal(Signal::SIGTERM);
    let status = within(Duration::from_secs(2), agent.child());
    assert_eq!(status.code(), Some(0), "{status}: {}", agent.log());
    for pid in pids {
        assert!(!process(pid).is_gone());
        process(pid).kill();
    }
}

#[test]
fn they_inherit_nothing_but_three_descriptors() {
    let scratch = Scratch::new("inherited");
    let wrapped = scratch.join("agent");
    // Started as if by somebody who leaves a descriptor open.
    script(&wrapped, &format!("exec 9</dev/null; exec {} \"$@\"", agent_under_test().display()));
    let agent = Agent::start(&wrapped, &[]);
    let mut client = agent.client();
    assert!(Path::new(&format!("/proc/{}/fd/9", agent.pid())).exists(), "the agent has it");
    for _ in 0..50 {
        client.call("guest-file-open", json!({ "path": "/dev/null" })).ok();
    }
    let pid = start(&mut client, "ls /proc/self/fd", true);
    let printed = result(&mut client, pid)["out-data"].as_str().map(|data| STANDARD.decode_to_vec(data).unwrap());
    // The fourth is ls(1)'s own, to look at the folder with.
    assert_eq!(String::from_utf8(printed.unwrap()).unwrap(), "0\n1\n2\n3\n");
}

#[test]
fn a_script_that_kills_its_group_does_not_end_the_agent() {
    let (_agent, mut client) = agent();
    for script in ["kill -s TERM 0", "kill -s KILL 0", "kill -s KILL 0 & wait"] {
        let pid = start(&mut client, script, true);
        assert!(result(&mut client, pid)["signal"].is_i64());
    }
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
}

/// An agent under a policy that permits one program, with these settings, and what the program prints.
fn printed_by(program: &Path, settings: &str) -> String {
    let scratch = Scratch::new("permitted");
    let rules = format!(
        "version = 1\n[[command]]\nnames = [\"*\"]\nmode = \"enforce\"\n[[permit]]\ncapability = \"processes\"\n\
         modules = [\"exec\"]\nprograms = [\"{}\"]\nreason = \"x\"\n{settings}\n",
        program.display()
    );
    let policy = scratch.file("policy.toml", &rules);
    let own = [("BULKHEAD_TEST_SECRET", "secret".as_ref()), ("LANG", "C.UTF-8".as_ref())];
    let policy = ["--policy", policy.to_str().expect("a plain path")];
    let agent = Agent::start_in(Scratch::new("agent"), &agent_under_test(), &policy, &own);
    let mut client = agent.client();
    let started = client.call("guest-exec", json!({ "path": program, "capture-output": true })).ok();
    let printed = result(&mut client, started["pid"].as_i64().expect("a process id is a number"));
    let printed = STANDARD.decode_to_vec(printed["out-data"].as_str().expect("it prints something")).expect("base64");
    String::from_utf8(printed).expect("it is text")
}

#[test]
fn a_program_that_runs_as_a_user_has_nothing_of_the_agents_environment() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: needs root");
        return;
    }
    let env = fs::canonicalize("/usr/bin/env").expect("there is an env(1)");
    assert!(printed_by(&env, "").contains("BULKHEAD_TEST_SECRET=secret\n"), "as qemu-ga has it");
    let printed = printed_by(&env, "run-as = \"nobody\"");
    assert!(!printed.contains("SECRET"), "{printed}");
    for variable in
        ["PATH=/usr/local/bin:/usr/bin:/bin\n", "USER=nobody\n", "LOGNAME=nobody\n", "HOME=", "LANG=C.UTF-8\n"]
    {
        assert!(printed.contains(variable), "{printed}");
    }
}

/// In a thread of its own, which gets a mount table of its own: a folder that is root's needs a place where all above are.
#[test]
fn a_script_knows_where_it_lies_if_nobody_else_can_put_another_there() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: needs root");
        return;
    }
    let story = || {
        let (none, private) = (None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE);
        unshare(CloneFlags::CLONE_NEWNS).expect("root may have a mount table");
        mount(none, "/", none, private, none).expect("mounts can be made private");
        mount(Some("tmpfs"), "/mnt", Some("tmpfs"), MsFlags::empty(), Some("mode=755")).expect("there is a /mnt");
        for (folder, mode) in [("/mnt/roots", 0o755), ("/mnt/groups", 0o775)] {
            fs::create_dir(folder).expect("it is empty");
            fs::set_permissions(folder, Permissions::from_mode(mode)).expect("it is root's");
            script(&Path::new(folder).join("script"), "echo \"$0\"");
        }
        assert_eq!(printed_by(Path::new("/mnt/roots/script"), ""), "/mnt/roots/script\n");
        assert_eq!(printed_by(Path::new("/mnt/groups/script"), ""), "/dev/fd/3\n");
    };
    std::thread::spawn(story).join().expect("the story ends well");
}

#[test]
fn asking_again_and_again_is_cheap_whatever_was_printed() {
    let (agent, mut client) = agent();
    let done = agent.scratch().join("done");
    let script = format!("head -c {STREAM} /dev/zero; touch {}; exec sleep 300", done.display());
    let pid = start(&mut client, &script, true);
    soon("16 MiB were printed", || done.exists());
    let begin = Instant::now();
    for _ in 0..1000 {
        assert_eq!(status(&mut client, pid), json!({ "exited": false }));
    }
    // To copy 16 MiB a thousand times would take longer on any machine.
    assert!(begin.elapsed() < Duration::from_secs(4), "1000 questions took {:?}", begin.elapsed());
    process(pid).kill();
    assert_eq!(result(&mut client, pid)["out-truncated"], false);
}

#[test]
fn silent_ones_do_not_wake_the_agent() {
    let (agent, mut client) = agent();
    let pids: Vec<i64> = (0..20).map(|turn| start(&mut client, "exec sleep 300", turn % 2 == 0)).collect();
    std::thread::sleep(Duration::from_secs(2));
    let process = Process::new(agent.pid());
    let before = process.wake_ups();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(process.wake_ups(), before, "wake-ups before and after 3 s");
    for pid in pids {
        self::process(pid).kill();
        assert_eq!(result(&mut client, pid)["signal"], 9);
    }
}

#[test]
fn input_that_is_not_read_does_no_harm() {
    let (agent, mut client) = agent();
    let arguments = json!({ "path": "sleep", "arg": ["300"], "input-data": "QUJD".repeat(100_000) });
    let idle = client.call("guest-exec", arguments).ok()["pid"].as_i64().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let process = Process::new(agent.pid());
    let before = process.wake_ups();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(process.wake_ups(), before, "a full pipe does not wake it");
    self::process(idle).kill();
    assert_eq!(result(&mut client, idle)["signal"], 9);
}

#[test]
fn results_that_nobody_asks_for_are_dropped_in_the_end() {
    let (agent, mut client) = agent();
    let pids: Vec<i64> = (0..1030).map(|_| start(&mut client, "exit 4", false)).collect();
    soon("no child is left", || children(&agent) == 0);
    let known = |pid: &i64| client.call("guest-exec-status", json!({ "pid": pid })).value["return"]["exitcode"] == 4;
    let (kept, lost): (Vec<i64>, Vec<i64>) = pids.iter().copied().partition(known);
    assert_eq!((kept.len(), lost.len()), (1024, 6));
    assert!(lost.iter().all(|pid| pids[..100].contains(pid)), "the first to end are the first to go");
    assert_eq!(agent.log().matches("programs were started and not asked for").count(), 6, "{}", agent.log());
}

#[test]
fn they_leave_the_agent_descriptors_of_its_own() {
    let (agent, mut client) = agent();
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &agent.pid().to_string(), "--nofile=100:"]);
    assert!(prlimit.status().expect("prlimit is there (package util-linux)").success());
    let mut pids = Vec::new();
    let refused = loop {
        let reply = client.call("guest-exec", json!({ "path": "sleep", "arg": ["300"], "capture-output": true }));
        match reply.value["return"]["pid"].as_i64() {
            Some(pid) => pids.push(pid),
            None => break reply,
        }
    };
    assert_eq!(refused.desc(), "Failed to execute child process “sleep” (Too many open files)");
    assert!(pids.len() > 10, "only {} were started", pids.len());
    for _ in 0..20 {
        client.call("guest-file-open", json!({ "path": "/dev/null" })).ok();
    }
    for pid in pids {
        process(pid).kill();
        assert_eq!(result(&mut client, pid)["signal"], 9);
    }
    assert_eq!(start_and_wait(&mut client), 0);
}

#[test]
fn what_they_are_told_is_not_logged() {
    let agent = Agent::start(&agent_under_test(), &["-v"]);
    let mut client = agent.client();
    let secrets = json!({
        "path": "/bin/sh", "arg": ["-c", ": secret-argument"], "env": ["X=secret-variable"],
        "input-data": STANDARD.encode_to_string("secret-input"), "capture-output": true,
    });
    let pid = client.call("guest-exec", secrets).ok()["pid"].as_i64().unwrap();
    assert_eq!(result(&mut client, pid)["exitcode"], 0);
    client.call("guest-exec", json!({ "path": "/no/such/program", "arg": ["secret-argument"] })).class();
    let log = agent.log();
    assert!(log.contains(&format!("process {pid} is /bin/sh\n")), "{log}");
    assert!(!log.contains("secret"), "{log}");
}
