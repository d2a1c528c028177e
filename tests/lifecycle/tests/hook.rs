//! The owner's freeze hook as a process: what it gets from the agent, and what it does not.

use bulkhead_lifecycle::{Daemons, frozen_scratch, script};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

/// A script that starts a service would hand everything on to it, for as long as that service runs.
#[test]
fn it_gets_nothing_that_belongs_to_the_agent() {
    let daemons = Daemons::in_scratch(frozen_scratch());
    let folder = daemons.scratch();
    let (hook, report, log) = (folder.join("hook"), folder.join("report"), folder.join("agent.log"));
    let look = "grep -E '^Sig(Blk|Ign)' /proc/self/status; ls -l /proc/$$/fd";
    script(&hook, &format!("{{ echo \"$@\"; {look}; }} >{}", report.display()));
    let option = format!("--fsfreeze-hook={}", hook.display());
    let ended = daemons.start(&["-v", "-l", log.to_str().unwrap(), &option]);
    assert!(ended.status.success(), "{}", ended.output);
    let mut client = daemons.client();
    // The first thaw makes the log and the pid file, so the second hook would have them.
    for _ in 0..2 {
        assert_eq!(client.call("guest-fsfreeze-thaw", Value::Null).ok(), 0);
    }
    assert!(log.exists());

    let report = fs::read_to_string(&report).unwrap();
    let mut lines = report.lines();
    assert_eq!(lines.next(), Some("thaw"));
    let mut signals = |name| {
        let mask = lines.next().and_then(|line| line.strip_prefix(name)).expect("the kernel tells the signal masks");
        u64::from_str_radix(mask.trim(), 16).expect("a mask is a number")
    };
    // A program whose reader has left must not live on: the agent ignores SIGPIPE, its children do not.
    let broken_pipe = 1 << (Signal::SIGPIPE as u32 - 1);
    assert_eq!((signals("SigBlk:"), signals("SigIgn:") & broken_pipe), (0, 0), "{report}");
    assert!(report.contains("0 -> /dev/null"), "{report}");
    for ours in ["socket:", "anon_inode:", "agent.log", "/pid", "qga.state"] {
        assert!(!report.contains(ours), "{ours}: {report}");
    }
}

/// Replies to what came together go together, but none waits for a command that takes its time.
#[test]
fn a_reply_does_not_wait_for_the_hook_of_the_next_request() {
    let daemons = Daemons::in_scratch(frozen_scratch());
    let (hook, go) = (daemons.scratch().join("hook"), daemons.scratch().join("go"));
    script(&hook, &format!("until [ -e {} ]; do sleep 0.05; done", go.display()));
    let ended = daemons.start(&[&format!("--fsfreeze-hook={}", hook.display())]);
    assert!(ended.status.success(), "{}", ended.output);
    let mut client = daemons.client();
    let request = |command: &str| format!("{{\"execute\":\"{command}\"}}\n");
    let three = ["guest-ping", "guest-fsfreeze-thaw", "guest-ping"].map(request).concat();
    client.send(three.as_bytes());
    assert_eq!(client.reply().ok(), json!({}), "while the hook runs");
    assert!(client.try_reply(Duration::from_millis(300)).is_none(), "the hook runs");
    fs::write(&go, "").unwrap();
    assert_eq!(client.reply().ok(), 0);
    assert_eq!(client.reply().ok(), json!({}));
}
