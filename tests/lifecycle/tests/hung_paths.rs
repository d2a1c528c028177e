//! Paths that a client names, and that lead to a file system which does not answer: a server that is gone, or one that a user of
//! the VM has made for this. Whoever named one waits for a while; the others do not.

use bulkhead_lifecycle::{Answers, Hung, Process, soon, with_hung_file_systems, within};
use bulkhead_test_support::{Agent, Client, Reply, Scratch, agent_under_test};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How long the agent waits for a path to be looked up, opened or read, and a program to be started, with room for a slow machine.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long anything takes that has nothing to do with it: much less, but machines that run tests are busy.
const SOON: Duration = Duration::from_secs(3);

/// As many questions as are left open.
const LEFT: usize = 16;

#[test]
fn who_names_none_is_answered_at_once() {
    with_hung_file_systems(|| {
        let scratch = Scratch::new("hung-paths");
        let agent = Agent::start(&agent_under_test(), &[]);
        let hung = Hung::folder(scratch.join("place"), "users-own");
        let mut client = agent.client();
        let path = |name: &str| hung.place.join(name).to_str().expect("a plain path").to_owned();
        let begin = Instant::now();
        for number in 0..LEFT + 4 {
            let opened = client.call("guest-file-open", json!({ "path": path(&number.to_string()) }));
            assert!(opened.desc().ends_with("Connection timed out"), "{}", opened.desc());
        }
        assert!(begin.elapsed() < PATIENCE * 4, "they are not waited for one after the other");
        answers(&mut client, &scratch);
        let reply = client.call("guest-file-open", json!({ "path": path("new"), "mode": "w" }));
        assert_eq!(reply.class(), "GenericError");
        // A program there; the search for one; and one whose interpreter is there.
        let started = patiently(&mut client, "guest-exec", json!({ "path": path("program") }));
        assert_eq!(started.class(), "GenericError");
        let search = format!("PATH={}:/usr/bin:/bin", hung.place.display());
        let found = patiently(&mut client, "guest-exec", json!({ "path": "true", "env": [search] }));
        assert!(found.ok()["pid"].is_i64());
        let script = scratch.join("script");
        bulkhead_lifecycle::script(&script, "");
        fs::write(&script, format!("#!{}\n", path("interpreter"))).expect("a scratch folder can be written to");
        let started = patiently(&mut client, "guest-exec", json!({ "path": script }));
        assert!(started.desc().contains("timed out"), "{}", started.desc());
        answers(&mut client, &scratch);
        ends(agent, client, hung);
    });
}

#[test]
fn a_file_that_hangs_when_it_is_open_is_given_up() {
    with_hung_file_systems(|| {
        let scratch = Scratch::new("hung-file");
        let agent = Agent::start(&agent_under_test(), &[]);
        let hung = Hung::folder(scratch.join("place"), "users-own");
        hung.answer(Answers::Names);
        let mut client = agent.client();
        let open = json!({ "path": hung.place.join("file"), "mode": "r+" });
        let handle = patiently(&mut client, "guest-file-open", open).ok();
        let begin = Instant::now();
        let read = client.call("guest-file-read", json!({ "handle": handle }));
        assert!(read.desc().ends_with("Connection timed out"), "{}", read.desc());
        assert!(begin.elapsed() < PATIENCE);
        for (command, arguments) in [
            ("guest-file-read", json!({ "handle": handle })),
            ("guest-file-write", json!({ "handle": handle, "buf-b64": "QUJD" })),
            ("guest-file-seek", json!({ "handle": handle, "offset": 0, "whence": 0 })),
        ] {
            let begin = Instant::now();
            let reply = client.call(command, arguments);
            assert!(reply.desc().ends_with("Connection timed out"), "{}", reply.desc());
            assert!(begin.elapsed() < SOON, "{command}: {:?}", begin.elapsed());
        }
        let begin = Instant::now();
        let closed = client.call("guest-file-close", json!({ "handle": handle }));
        assert_eq!(closed.desc(), "failed to close handle: Connection timed out");
        assert!(begin.elapsed() < SOON, "closing is not waited for: {:?}", begin.elapsed());
        let again = client.call("guest-file-close", json!({ "handle": handle }));
        assert!(again.desc().ends_with("has not been found"), "{}", again.desc());
        answers(&mut client, &scratch);
        ends(agent, client, hung);
    });
}

#[test]
fn a_close_that_hangs_holds_up_no_other() {
    with_hung_file_systems(|| {
        let scratch = Scratch::new("hung-close");
        let agent = Agent::start(&agent_under_test(), &[]);
        let hung = Hung::folder(scratch.join("place"), "users-own");
        hung.answer(Answers::Names);
        let healthy = Hung::folder(scratch.join("healthy"), "users-own");
        healthy.answer(Answers::All);
        let mut client = agent.client();
        let closed = close_written(&mut client, &hung);
        assert_eq!(closed.desc(), "failed to close handle: Connection timed out");
        for _ in 0..100 {
            close_written(&mut client, &healthy).ok();
        }
        soon("all are closed", || healthy.released() == 100);
        // As many as may be left; then nothing more is opened there, and the table of open files does not grow.
        let begin = Instant::now();
        for _ in 1..LEFT {
            close_written(&mut client, &hung);
        }
        assert!(begin.elapsed() < PATIENCE * 4, "they are not waited for one after the other");
        for _ in 0..100 {
            let opened = client.call("guest-file-open", json!({ "path": healthy.place.join("file") }));
            assert!(opened.desc().ends_with("Connection timed out"), "{}", opened.desc());
        }
        let most = tables(agent.pid());
        assert!(most < 100, "{most} files are open");
        answers(&mut client, &scratch);
        hung.answer(Answers::All);
        soon("they are closed", || hung.released() == LEFT);
        close_written(&mut client, &healthy).ok();
        ends(agent, client, hung);
    });
}

#[test]
fn what_a_server_says_to_a_close_is_told() {
    with_hung_file_systems(|| {
        let scratch = Scratch::new("full-close");
        let agent = Agent::start(&agent_under_test(), &[]);
        let full = Hung::folder(scratch.join("place"), "users-own");
        full.answer(Answers::Full);
        let mut client = agent.client();
        let closed = close_written(&mut client, &full);
        assert_eq!(
            (closed.class(), closed.desc()),
            ("GenericError", "failed to close handle: No space left on device")
        );
        soon("it is closed", || full.released() == 1);
        full.answer(Answers::All);
        assert_eq!(close_written(&mut client, &full).ok(), json!({}));
        ends(agent, client, full);
    });
}

/// Opens a file there, writes to it, and says what closing it was answered.
fn close_written(client: &mut Client, system: &Hung) -> Reply {
    let open = json!({ "path": system.place.join("file"), "mode": "r+" });
    let handle = patiently(client, "guest-file-open", open).ok();
    if system.takes_writes() {
        client.call("guest-file-write", json!({ "handle": handle, "buf-b64": "QUJD" })).ok();
    }
    patiently(client, "guest-file-close", json!({ "handle": handle }))
}

/// How many files are open in the largest table that a thread of the process has.
fn tables(pid: u32) -> usize {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("it runs").flatten();
    let counts = threads.filter_map(|thread| Some(fs::read_dir(thread.path().join("fd")).ok()?.count()));
    counts.max().expect("it has threads")
}

#[test]
fn what_no_rule_could_permit_is_denied_by_its_text() {
    with_hung_file_systems(|| {
        let scratch = Scratch::new("hung-policy");
        let place = scratch.join("place");
        let folder = scratch.folder("local");
        fs::write(folder.join("file"), "text").expect("a fresh file");
        let policy = scratch.file(
            "policy.toml",
            &format!(
                "version = 1\n[[command]]\nnames = [\"*\"]\nmode = \"enforce\"\n\
                 [[permit]]\ncapability = \"agent\"\nmodules = [\"core\"]\nreason = \"x\"\n\
                 [[permit]]\ncapability = \"files\"\nmodules = [\"file\"]\ntrees = [\"{}\"]\naccess = [\"read\"]\n\
                 reason = \"x\"\n\
                 [[permit]]\ncapability = \"files\"\nmodules = [\"file\"]\ntrees = [\"{}\"]\naccess = [\"read\"]\n\
                 reason = \"x\"\n",
                place.join("tree").display(),
                folder.display(),
            ),
        );
        let agent = Agent::start(&agent_under_test(), &["--policy", policy.to_str().expect("a plain path")]);
        let hung = Hung::folder(place, "users-own");
        let mut client = agent.client();
        let begin = Instant::now();
        let write = json!({ "path": hung.place.join("x"), "mode": "w" });
        assert!(client.call("guest-file-open", write).desc().contains("denied"));
        let exec = client.call("guest-exec", json!({ "path": hung.place.join("x") }));
        assert_eq!(exec.class(), "CommandNotFound", "a command with no permit at all is disabled");
        assert!(begin.elapsed() < SOON, "nothing was looked up: {:?}", begin.elapsed());
        // One tree of the policy does not answer; what lies in the other is opened, and from the second time on at once.
        let open = || json!({ "path": folder.join("file") });
        patiently(&mut client, "guest-file-open", open()).ok();
        let begin = Instant::now();
        client.call("guest-file-open", open()).ok();
        assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
        let beneath = patiently(&mut client, "guest-file-open", json!({ "path": hung.place.join("tree/file") }));
        assert_eq!(beneath.class(), "GenericError");
        let begin = Instant::now();
        assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
        assert!(begin.elapsed() < SOON);
        ends(agent, client, hung);
    });
}

#[test]
fn what_a_mount_says_of_its_source_is_not_believed() {
    with_hung_file_systems(|| {
        let scratch = Scratch::new("hung-source");
        let agent = Agent::start(&agent_under_test(), &[]);
        let many: Vec<Hung> = (0..LEFT + 2)
            .map(|number| {
                let place = scratch.join(&format!("place{number}"));
                let source = format!("{}/device", place.display());
                Hung::folder(place, &source)
            })
            .collect();
        let disk = Hung::disk(&scratch);
        let mut client = agent.client();
        let begin = Instant::now();
        let told = client.call("guest-get-fsinfo", Value::Null).ok();
        assert!(begin.elapsed() < PATIENCE * 4, "{:?}", begin.elapsed());
        let all = told.as_array().expect("a list");
        let place = disk.place.to_str().expect("a plain path");
        assert!(all.iter().all(|it| it["total-bytes"].is_u64() == (it["mountpoint"] != place)), "{told}");
        for command in ["guest-fsfreeze-status", "guest-ping", "guest-get-host-name"] {
            let begin = Instant::now();
            client.call(command, Value::Null).ok();
            assert!(begin.elapsed() < SOON, "{command}: {:?}", begin.elapsed());
        }
        drop(many);
        ends(agent, client, disk);
    });
}

/// Calls, and is answered in time.
fn patiently(client: &mut Client, command: &str, arguments: Value) -> Reply {
    let begin = Instant::now();
    let reply = client.call(command, arguments);
    assert!(begin.elapsed() < PATIENCE * 2, "{command}: {:?}", begin.elapsed());
    reply
}

/// Whatever has nothing to do with what hangs is answered within a second.
fn answers(client: &mut Client, scratch: &Scratch) {
    let file = scratch.file("local-file", "text");
    let handle = client.call("guest-file-open", json!({ "path": file })).ok();
    for (command, arguments) in [
        ("guest-ping", Value::Null),
        ("guest-sync", json!({ "id": 7 })),
        ("guest-info", Value::Null),
        ("guest-fsfreeze-status", Value::Null),
        ("guest-get-osinfo", Value::Null),
        ("guest-get-timezone", Value::Null),
        ("guest-file-open", json!({ "path": file })),
        ("guest-file-read", json!({ "handle": handle })),
        ("guest-file-close", json!({ "handle": handle })),
        ("guest-exec", json!({ "path": "/bin/true" })),
    ] {
        let begin = Instant::now();
        client.call(command, arguments).ok();
        assert!(begin.elapsed() < SOON, "{command}: {:?}", begin.elapsed());
    }
}

/// SIGTERM is heard: nobody holds the channel any more. What still waits in the kernel ends with the file system.
fn ends(mut agent: Agent, client: Client, hung: Hung) {
    drop(client);
    let begin = Instant::now();
    Process::new(agent.pid()).signal(Signal::SIGTERM);
    let socket = agent.scratch().join("socket");
    soon("nobody listens", || UnixStream::connect(&socket).is_err());
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    drop(hung);
    assert!(within(Duration::from_secs(10), agent.child()).success());
}
