//! `-l` and `-v`: what the owner can read afterwards, and what nobody should.

use bulkhead_lifecycle::{Daemons, soon};
use serde_json::json;
use std::fs;

#[test]
fn its_log_names_commands_and_keeps_secrets() {
    let daemons = Daemons::new();
    let log = daemons.scratch().join("log");
    daemons.started(&["-v", "-l", log.to_str().unwrap()]);
    let mut client = daemons.client();
    let target = daemons.scratch().join("target");
    let handle = client.call("guest-file-open", json!({ "path": target.to_str(), "mode": "w" })).ok();

    let secret = "correct-horse-battery-staple";
    let base64 = base64_simd::STANDARD.encode_to_string(secret);
    let write = |content: &str| json!({ "handle": handle, "buf-b64": content });
    assert_eq!(client.call("guest-file-write", write(&base64)).ok()["count"], secret.len());
    soon("the last line names the command", || {
        let log = fs::read_to_string(&log).unwrap_or_default();
        log.lines().last().is_some_and(|line| line.contains("read data") && line.contains("guest-file-write"))
    });

    // What goes wrong is logged as well. None of it may quote the client: what it sends can be a password.
    client.call("guest-file-write", write(secret));
    client.call("guest-file-write", json!({ "handle": handle, "buf-b64": { "password": secret } }));
    client.call("guest-file-write", json!({ "handle": handle, "buf-b64": "", secret: 1 }));
    // Nobody has this name: the test runs on a real system.
    client.call("guest-set-user-password", json!({ "username": "ro:ot", "password": base64, "crypted": false }));
    for broken in [
        format!(r#"{{"execute":"guest-file-write","arguments":{{"buf-b64":"{base64}",}}}}"#),
        format!(r#"{{"execute":"guest-file-write","arguments":{{"buf-b64":{secret}}}}}"#),
    ] {
        client.send(broken.as_bytes());
        client.reply().desc();
    }
    // A request that its client gave up in the middle, and 0xFF to begin afresh.
    client.send(format!(r#"{{"execute":"guest-file-write","arguments":{{"buf-b64":"{base64}"#).as_bytes());
    client.send(b"\xFF{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":7}}");
    assert!(std::iter::from_fn(|| Some(client.reply())).any(|reply| reply.sentinel));

    soon("everything is in the log", || {
        fs::read_to_string(&log).unwrap().lines().last().is_some_and(|line| line.contains("guest-sync-delimited"))
    });
    let log = fs::read_to_string(&log).unwrap();
    let telling: Vec<_> = log.lines().filter(|line| line.contains(secret) || line.contains(&base64[..12])).collect();
    assert!(telling.is_empty(), "{telling:#?}");
}

/// A daemon has no other place to complain to. (qemu-ga refuses to start, too.)
#[test]
fn a_log_that_cannot_be_written_is_a_failed_start() {
    let daemons = Daemons::new();
    let said = daemons.refused(&["-l", "/nonexistent/log"]);
    assert!(said.contains("/nonexistent/log"), "{said}");
    assert!(daemons.running().is_empty());
}
