//! Where the audit goes when things are not as they should be: disks that are full, a journal that does not listen. And
//! that no secret goes anywhere. Each story has a mount table of its own, which only a thread of its own can have.

use bulkhead_lifecycle::{apart, run_to_end, soon};
use bulkhead_test_support::{Agent, Client, Scratch, agent_under_test, tools};
use nix::mount::{MsFlags, mount};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;

const JOURNAL: &str = "/run/systemd/journal/socket";

fn tmpfs(place: &Path, flags: MsFlags, options: &str) {
    mount(Some("none"), place, Some("tmpfs"), flags, Some(options)).expect("root can mount a tmpfs");
}

/// The journal's socket, with somebody at its other end.
fn journal() -> UnixDatagram {
    tmpfs(Path::new("/run"), MsFlags::empty(), "size=1m");
    fs::create_dir_all(Path::new(JOURNAL).parent().unwrap()).unwrap();
    let socket = UnixDatagram::bind(JOURNAL).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

/// What has arrived so far.
fn heard(socket: &UnixDatagram) -> Vec<String> {
    let mut buffer = vec![0; 1 << 18];
    let next = || socket.recv(&mut buffer).ok().map(|length| String::from_utf8(buffer[..length].to_vec()).unwrap());
    std::iter::from_fn(next).collect()
}

fn ping(client: &mut Client, times: usize) {
    (0..times).for_each(|_| assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({})));
}

/// What `bulkhead audit verify` says of a good audit.
fn whole(path: &Path) -> String {
    let scratch = Scratch::new("verify");
    let mut verify = Command::new(tools());
    let ended = run_to_end(verify.args(["audit", "verify"]).arg(path), &scratch);
    assert!(ended.status.success(), "{}", ended.output);
    ended.output
}

/// A place for an audit on a small disk.
fn disk(flags: MsFlags) -> (Scratch, PathBuf) {
    let scratch = Scratch::new("disk");
    fs::create_dir(scratch.join("disk")).unwrap();
    tmpfs(&scratch.join("disk"), flags, "size=64k");
    let path = scratch.join("disk").join("audit");
    (scratch, path)
}

fn audited(path: &Path, extra: &[&str]) -> Agent {
    let arguments: Vec<&str> =
        ["--audit-file", path.to_str().unwrap()].into_iter().chain(extra.iter().copied()).collect();
    Agent::start(&agent_under_test(), &arguments)
}

fn fill(place: &Path) {
    let mut filler = File::create(place).unwrap();
    while filler.write(&[0; 4096]).is_ok() {}
}

#[test]
fn a_full_disk_stops_no_command_and_its_loss_is_on_record() {
    apart(|| {
        let (scratch, path) = disk(MsFlags::empty());
        let agent = audited(&path, &[]);
        let mut client = agent.client();
        ping(&mut client, 1);
        let filler = scratch.join("disk").join("filler");
        fill(&filler);
        ping(&mut client, 50);
        soon("the owner is told", || agent.log().contains("the audit cannot be written"));
        fs::remove_file(&filler).unwrap();
        ping(&mut client, 1);
        soon("and told again", || agent.log().contains("the audit can be written again"));
        assert_eq!(agent.log().matches("the audit cannot be written").count(), 1, "one word, not one per line");
        let said = whole(&path);
        assert!(said.starts_with("recorded loss of ") && !said.contains("piece"), "{said}");
        let text = fs::read_to_string(&path).unwrap();
        // Short as it is, the line about a loss may find room where the next one does not: then there are several.
        let numbers = 1 + 52 + text.matches("\"event\":\"lost\"").count();
        assert!(text.lines().last().unwrap().starts_with(&format!("{{\"seq\":{numbers},")), "{text}");
    });
}

/// A file that may only be appended to keeps the piece of a line that found room.
#[test]
fn a_piece_that_cannot_be_taken_back_is_on_record() {
    apart(|| {
        let (scratch, path) = disk(MsFlags::empty());
        File::create(&path).unwrap();
        let append_only =
            Command::new("chattr").arg("+a").arg(&path).output().is_ok_and(|ended| ended.status.success());
        if !append_only {
            println!("skipped: this kernel's tmpfs has no attributes");
            return;
        }
        let agent = audited(&path, &[]);
        let mut client = agent.client();
        ping(&mut client, 1);
        fill(&scratch.join("disk").join("filler"));
        ping(&mut client, 50);
        fs::remove_file(scratch.join("disk").join("filler")).unwrap();
        ping(&mut client, 1);
        let said = whole(&path);
        assert!(said.contains(", a piece of which is there: "), "{said}");
    });
}

#[test]
fn a_disk_that_cannot_be_written_at_first() {
    apart(|| {
        let (scratch, path) = disk(MsFlags::MS_RDONLY);
        let agent = audited(&path, &[]);
        let mut client = agent.client();
        ping(&mut client, 2);
        let (none, remount) = (None::<&str>, MsFlags::MS_REMOUNT);
        mount(none, &scratch.join("disk"), none, remount, none).expect("it can be made writable");
        ping(&mut client, 1);
        assert!(whole(&path).starts_with("recorded loss of 3 lines: 1 to 3"));
    });
}

#[test]
fn a_fifo_in_its_place_makes_nobody_wait() {
    let scratch = Scratch::new("fifo");
    nix::unistd::mkfifo(&scratch.join("audit"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let agent = audited(&scratch.join("audit"), &[]);
    ping(&mut agent.client(), 1);
    let said = format!("the audit cannot be written to {} (it is not a regular file)", scratch.join("audit").display());
    assert!(agent.log().contains(&said), "{}", agent.log());
}

#[test]
fn the_journal_gets_fields_and_the_line() {
    apart(|| {
        let socket = journal();
        let (_scratch, path) = disk(MsFlags::empty());
        let agent = audited(&path, &["--audit-journal"]);
        ping(&mut agent.client(), 1);
        let heard = heard(&socket);
        assert_eq!(heard.len(), 2, "{heard:#?}");
        for field in [
            "MESSAGE=guest-ping: allow, ok",
            "PRIORITY=6",
            "SYSLOG_IDENTIFIER=bulkhead-agent",
            "BULKHEAD_COMMAND=guest-ping",
            "BULKHEAD_DECISION=allow",
            "BULKHEAD_OUTCOME=ok",
            "BULKHEAD_MODULE=core",
            "BULKHEAD_SEQ=2",
        ] {
            assert!(heard[1].lines().any(|line| line == field), "{field}: {}", heard[1]);
        }
        let line = heard[1].lines().find_map(|line| line.strip_prefix("BULKHEAD_LINE=")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().last(), Some(line));
    });
}

#[test]
fn a_journal_that_does_not_read_is_not_waited_for() {
    apart(|| {
        let socket = journal();
        let agent = Agent::start(&agent_under_test(), &["--audit-journal"]);
        let mut client = agent.client();
        ping(&mut client, 2000);
        let first = heard(&socket);
        assert!(first.len() < 2000, "the socket has no bottom");
        ping(&mut client, 1);
        let then = heard(&socket);
        assert!(then[0].contains("BULKHEAD_EVENT=lost\n"), "{then:#?}");
        let line = |text: &String| text.lines().find_map(|it| it.strip_prefix("BULKHEAD_LINE=").map(str::to_owned));
        let lines: Vec<String> = first.iter().chain(&then).filter_map(line).collect();
        let scratch = Scratch::new("pinned");
        fs::write(scratch.join("lines"), lines.join("\n") + "\n").unwrap();
        assert!(whole(&scratch.join("lines")).starts_with(&format!("recorded loss of {} lines", 2001 - first.len())));
    });
}

/// Every secret argument of every command, in the ways in which it can be right and wrong, under a policy that allows
/// all, one that only observes, and one that denies: its text is nowhere.
#[test]
fn no_secret_is_anywhere() {
    apart(|| {
        let socket = journal();
        let mark = "correct-horse-battery-staple";
        let base64 = base64_simd::STANDARD.encode_to_string(mark);
        for mode in ["full", "observe", "enforce"] {
            let (scratch, path) = disk(MsFlags::empty());
            let policy = scratch.join("policy.toml");
            let rule = format!("profile = \"minimal\"\n[[command]]\nnames = [\"*\"]\nmode = \"{mode}\"\n");
            let rule = if mode == "full" { "profile = \"full\"\n" } else { &rule };
            fs::write(&policy, format!("version = 1\n{rule}")).unwrap();
            let agent = audited(&path, &["--audit-journal", "-v", "--policy", policy.to_str().unwrap()]);
            let mut client = agent.client();
            let (mut asked, mut journal) = (1, Vec::new());
            let mut ask = |command: &str, arguments: Value| {
                asked += 1;
                let reply = client.call(command, arguments).value;
                journal.extend(heard(&socket));
                reply
            };
            // Names of users that nobody has: the test runs on a real system.
            let user = "ro:ot";
            let wrong = [json!(mark), json!([mark]), json!([[mark]]), json!({ mark: mark }), json!(base64)];
            for secret in &wrong {
                ask("guest-set-user-password", json!({ "username": user, "password": secret, "crypted": false }));
                ask("guest-file-write", json!({ "handle": 1, "buf-b64": secret }));
                ask("guest-ssh-add-authorized-keys", json!({ "username": user, "keys": secret, "reset": true }));
                ask("guest-ssh-remove-authorized-keys", json!({ "username": user, "keys": secret }));
                for (path, member) in [("/nonexistent", "arg"), ("/bin/true", "arg"), ("/bin/true", "input-data")] {
                    ask("guest-exec", json!({ "path": path, member: secret }));
                }
                // The name of a variable is no secret: rules have it. What has no `=` is no name.
                ask("guest-exec", json!({ "path": "/bin/true", "env": [format!("LANG={secret}"), mark] }));
                ask("guest-ping", json!({ mark: secret }));
            }
            let target = scratch.join("target");
            let opened = ask("guest-file-open", json!({ "path": target.to_str(), "mode": "w" }));
            if mode != "enforce" {
                ask("guest-file-write", json!({ "handle": opened["return"], "buf-b64": base64 }));
                assert_eq!(fs::read_to_string(&target).unwrap(), mark);
            }
            let all =
                [("audit", fs::read_to_string(&path).unwrap()), ("log", agent.log()), ("journal", journal.concat())];
            for (place, text) in all {
                assert!(text.matches("guest-exec").count() >= 20, "{place} tells of the commands");
                let telling: Vec<&str> =
                    text.lines().filter(|line| line.contains(mark) || line.contains(&base64[..12])).collect();
                assert!(telling.is_empty(), "{mode}: {place} tells {telling:#?}");
            }
            assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), asked, "a line for each");
        }
    });
}
