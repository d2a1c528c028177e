//! Learning with the real agent: what it let through while it only observed, it permits under the policy that its audit
//! suggests; and a little beside that, not. Needs `make build`.

use bulkhead_test_support::{Agent, Scratch, agent_under_test};
use bulkhead_tools::policy::{Known, suggest};
use serde_json::{Value, json};

const LEARN: &str = "\
version = 1
profile = \"minimal\"

[[command]]
names = [\"*\"]
mode = \"observe\"
reason = \"learning\"
";

/// An agent with this policy and an audit.
fn agent(policy: &str) -> Agent {
    let scratch = Scratch::new("learn");
    std::fs::write(scratch.join("policy.toml"), policy).expect("a scratch folder can be written to");
    let path = |name| scratch.join(name).to_str().expect("a scratch folder's name is text").to_owned();
    let arguments = ["--policy".to_owned(), path("policy.toml"), "--audit-file".to_owned(), path("audit.jsonl")];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Agent::start_in(scratch, &agent_under_test(), &arguments, &[])
}

fn exec(word: &str, variable: &str) -> Value {
    json!({"path": "/bin/echo", "arg": [word], "env": [variable]})
}

#[test]
fn what_was_observed_is_what_is_suggested() {
    let learning = agent(LEARN);
    let (report, secret) = ("/etc/hostname", "wh1sper");
    let mut client = learning.client();
    client.call("guest-file-open", json!({"path": report})).ok();
    client.call("guest-exec", exec(secret, "LANG=C")).ok();
    client.call("guest-get-host-name", Value::Null).ok();
    let audit = std::fs::read_to_string(learning.scratch().join("audit.jsonl")).expect("there is an audit");
    drop(learning);

    let text = suggest(audit.lines(), &Known::built_in(), None, false);
    assert!(!audit.contains(secret) && !text.contains(secret), "an argument may be a secret:\n{text}");
    let enforcing = agent(&text.replacen("version = 1\n", "version = 1\nprofile = \"minimal\"\n", 1));
    let mut client = enforcing.client();
    client.call("guest-file-open", json!({"path": report})).ok();
    client.call("guest-exec", exec("another", "LANG=de")).ok();
    client.call("guest-get-host-name", Value::Null).ok();

    let denied = [
        client.call("guest-file-open", json!({"path": report, "mode": "r+"})),
        client.call("guest-file-open", json!({"path": "/etc/hosts"})),
        client.call("guest-exec", exec("word", "LD_PRELOAD=/x.so")),
        client.call("guest-exec", json!({"path": "/bin/echo", "arg": ["two", "words"]})),
        client.call("guest-exec", json!({"path": "/bin/true"})),
    ];
    for reply in &denied {
        assert!(reply.desc().contains("Permission denied"), "{reply:?}");
    }
    assert_eq!(client.call("guest-get-users", Value::Null).class(), "CommandNotFound");
}
