//! The system's log: a line for each command that acts or is refused, and for nothing else.

use bulkhead_lifecycle::{Process, SystemLog, agent_in, apart, frozen_scratch, soon, within};
use bulkhead_test_support::{Agent, Client, Scratch, agent_under_test};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

const SECRET: &str = "correct-horse-battery-staple";

/// The text of each line, without priority and process.
fn texts(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.split_once("]: ").unwrap_or_else(|| panic!("{line}")).1).collect()
}

/// Asks for what acts, and for more of what does not.
fn ask(client: &mut Client, target: &str) {
    client.call("guest-ping", Value::Null).ok();
    client.call("guest-sync", json!({ "id": 7 })).ok();
    client.call("guest-get-osinfo", Value::Null).ok();
    let started = client.call("guest-exec", json!({ "path": "/bin/true", "arg": [SECRET, SECRET], "env": [] })).ok();
    client.call("guest-exec-status", json!({ "pid": started["pid"] })).ok();
    let handle = client.call("guest-file-open", json!({ "path": target, "mode": "w" })).ok();
    client.call("guest-file-write", json!({ "handle": handle, "buf-b64": "" })).ok();
    client.call("guest-file-close", json!({ "handle": handle })).ok();
    client.call("guest-exec", json!({ "path": "/no/such/program", "input-data": "AAAA" }));
    client.call("guest-get-users", Value::Null);
}

/// What [`ask`] leaves.
fn expected(target: &str) -> [String; 4] {
    [
        r#"guest-exec called (path "/bin/true", 2 arg, 0 env): ok"#.to_owned(),
        format!(r#"guest-file-open called (path "{target}", mode "w"): ok"#),
        r#"guest-exec called (path "/no/such/program", input-data of 6 bytes): GenericError"#.to_owned(),
        "guest-get-users refused: by the list block-rpcs or allow-rpcs".to_owned(),
    ]
}

#[test]
fn it_hears_of_what_acts_and_of_what_is_refused_and_of_nothing_else() {
    apart(|| {
        let scratch = Scratch::new("syslog");
        let (system, target, file) = (SystemLog::new(), scratch.join("target"), scratch.join("agent.log"));
        let target = target.to_str().unwrap().to_owned();
        // With a file it hears no less, and the file has it too.
        for extra in [&["-b", "guest-get-users"][..], &["-b", "guest-get-users", "-l", file.to_str().unwrap()]] {
            let agent = Agent::start(&agent_under_test(), extra);
            ask(&mut agent.client(), &target);
            let heard = system.heard();
            let said = texts(&heard);
            assert!(
                said[0].starts_with("Bulkhead ") && said[0].contains("serves as qemu-ga; policy: profile full"),
                "{said:?}"
            );
            assert_eq!(said[1..], expected(&target), "{heard:?}");
            let process = format!("qemu-ga[{}]: ", agent.pid());
            assert!(
                heard[1].starts_with(&format!("<13>{process}")) && heard[4].starts_with(&format!("<12>{process}")),
                "{heard:?}"
            );
            assert!(!heard.concat().contains(SECRET));
        }
        let file = fs::read_to_string(file).unwrap();
        assert!(expected(&target).iter().all(|line| file.contains(line)), "{file}");
    });
}

#[test]
fn it_hears_nothing_while_frozen_and_all_of_it_after_the_thaw() {
    apart(|| {
        let scratch = frozen_scratch();
        let system = SystemLog::new();
        let agent = Agent::start_in(scratch, &agent_under_test(), &[], &[]);
        let mut client = agent.client();
        client.call("guest-exec", json!({ "path": "/bin/true" })).desc();
        assert_eq!(system.heard(), [""; 0]);
        client.call("guest-fsfreeze-thaw", Value::Null).ok();
        let heard = system.heard();
        let said = texts(&heard);
        assert!(
            said[1].starts_with("guest-exec refused: it cannot run while file systems are frozen (at 20"),
            "{said:?}"
        );
        assert_eq!(said.last(), Some(&"guest-fsfreeze-thaw called: ok"), "{said:?}");
    });
}

#[test]
fn where_nobody_listens_standard_error_has_it() {
    apart(|| {
        drop(SystemLog::new());
        let agent = Agent::start(&agent_under_test(), &[]);
        agent.client().call("guest-exec", json!({ "path": "/bin/true" })).ok();
        assert!(agent.log().contains(r#"notice: guest-exec called (path "/bin/true"): ok"#), "{}", agent.log());
    });
}

/// As systemd starts it: the journal is at the other end of standard error, and named in JOURNAL_STREAM.
#[test]
fn where_standard_error_is_the_journal_lines_go_there_with_their_priorities() {
    apart(|| {
        let scratch = Scratch::new("journal-stream");
        let system = SystemLog::new();
        let (mut journal, stream) = UnixStream::pair().unwrap();
        let stream = fs::File::from(OwnedFd::from(stream));
        let metadata = stream.metadata().unwrap();
        let mut agent = agent_in(&scratch)
            .args(["-m", "unix-listen", "-b", "guest-get-users", "-p"])
            .arg(scratch.join("socket"))
            .env("JOURNAL_STREAM", format!("{}:{}", metadata.dev(), metadata.ino()))
            .stderr(stream)
            .spawn()
            .unwrap();
        let mut client = Client::connect(&scratch.join("socket"));
        let target = scratch.join("target").to_str().unwrap().to_owned();
        ask(&mut client, &target);
        Process::new(agent.id()).signal(Signal::SIGTERM);
        within(Duration::from_secs(10), &mut agent);
        let mut said = String::new();
        journal.read_to_string(&mut said).unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].starts_with("<5>Bulkhead "), "{said}");
        let [exec, open, failed, refused] = expected(&target);
        assert_eq!(
            lines[1..],
            [format!("<5>{exec}"), format!("<5>{open}"), format!("<5>{failed}"), format!("<4>{refused}")],
            "each once, and with no time of its own"
        );
        assert_eq!(system.heard(), [""; 0], "the journal has them already");
    });
}

#[test]
fn a_refusal_that_comes_again_and_again_is_counted() {
    apart(|| {
        let system = SystemLog::new();
        let agent = Agent::start(&agent_under_test(), &["-b", "guest-exec"]);
        let mut client = agent.client();
        for _ in 0..1000 {
            client.call("guest-exec", json!({ "path": "/bin/true" })).desc();
        }
        let pid = agent.pid();
        Process::new(pid).signal(Signal::SIGTERM);
        let count = "times more: guest-exec refused";
        soon("the count is written at the end", || agent.log().contains(count));
        assert!(agent.log().matches("guest-exec refused").count() < 10, "{}", agent.log());
        assert!(system.heard().len() < 12);
    });
}

/// Who wants to do something unseen has only to fail often enough before it, unless what acts has room of its own.
#[test]
fn what_fails_does_not_hide_what_acts() {
    let agent = Agent::start(&agent_under_test(), &["--log-rate=2"]);
    let mut client = agent.client();
    for number in 0..100 {
        client.call("guest-file-open", json!({ "path": format!("/nonexistent/{number}") })).desc();
    }
    let handle = client.call("guest-file-open", json!({ "path": "/dev/null" })).ok();
    client.call("guest-file-close", json!({ "handle": handle })).ok();
    client.call("guest-exec", json!({ "path": "/bin/true" })).ok();
    let log = agent.log();
    assert!(log.matches("/nonexistent/").count() < 20, "{log}");
    assert!(log.contains("guest-exec called (path \"/bin/true\")"), "{log}");
    assert!(log.contains("guest-file-open called (path \"/dev/null\""), "{log}");
    assert!(log.contains("come too fast, and are only counted"), "{log}");
}
