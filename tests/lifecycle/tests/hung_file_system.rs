//! A file system whose driver has stopped answering, as a disk behind a broken cable or a server that is gone has: nobody
//! waits for it but a thread of the agent's that does nothing else.

use bulkhead_lifecycle::{Answers, Hung, Process, soon, with_hung_file_systems, within};
use bulkhead_test_support::{Agent, Client, Scratch, agent_under_test};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the agent waits for a file system.
const PATIENCE: Duration = Duration::from_secs(2);

#[test]
fn the_others_are_told() {
    with_hung_file_systems(story);
}

fn story() {
    let scratch = Scratch::new("hung");
    let mut agent = Agent::start(&agent_under_test(), &[]);
    // Its end comes first: a process with a thread that waits like this cannot be killed.
    let hung = Hung::disk(&scratch);
    let process = Process::new(agent.pid());
    let mut client = agent.client();
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
    let threads = || threads(process);
    // The first question has one thread more made, which has no part in the agent's files and starts those that wait.
    let before = threads() + 1;

    let (told, took) = ask(&mut client);
    assert!(took >= PATIENCE, "{took:?}");
    check(&told, &hung.place, false);
    soon("one thread is left", || threads() == before + 1);

    // It still waits, so nobody asks again.
    let (told, took) = ask(&mut client);
    assert!(took < PATIENCE, "{took:?}");
    check(&told, &hung.place, false);
    soon("no other is left", || threads() == before + 1);
    assert!(process.ticks_at_rest(Duration::from_secs(2)) <= 1, "it waits asleep");

    hung.answer(Answers::Sizes);
    soon("the thread ends", || threads() == before);
    let (told, _) = ask(&mut client);
    check(&told, &hung.place, true);
    // An agent that ends while it waits leaves a thread behind, but not its channel: another one can take that.
    hung.answer(Answers::Nothing);
    ask(&mut client);
    drop(client);
    process.signal(Signal::SIGTERM);
    let socket = agent.scratch().join("socket");
    soon("nobody listens", || UnixStream::connect(&socket).is_err());
    assert_eq!(agent.child().try_wait().expect("it is ours"), None);
    drop(hung);
    assert!(within(Duration::from_secs(10), agent.child()).success());
}

fn ask(client: &mut Client) -> (Value, Duration) {
    let begin = Instant::now();
    let told = client.call("guest-get-fsinfo", Value::Null).ok();
    (told, begin.elapsed())
}

/// All file systems are listed, and all tell how full they are, except the one that does not `answer`.
fn check(told: &Value, hung: &Path, answers: bool) {
    let all = told.as_array().expect("a list");
    let hung = hung.to_str().expect("a plain path");
    assert!(all.iter().any(|it| it["mountpoint"] == hung && it["type"] == "fuseblk"), "{told}");
    for it in all {
        let has_sizes = ["used-bytes", "total-bytes", "total-bytes-privileged"].map(|size| it[size].is_u64());
        assert_eq!(has_sizes, [it["mountpoint"] != hung || answers; 3], "{it}");
    }
}

fn threads(process: Process) -> usize {
    fs::read_dir(format!("/proc/{}/task", process.pid())).expect("the agent runs").count()
}
