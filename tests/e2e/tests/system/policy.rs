//! The owner's policy in a real system: drop-ins, `systemctl reload`, links that a user makes, and what journald keeps.

use bulkhead_e2e::{Lab, base64, text};
use serde_json::json;

const DROP_IN: &str = "/etc/bulkhead/policy.d/check.toml";

/// Puts a drop-in in its place, or takes it away, and has the agent read it.
fn reload(lab: &mut Lab, rules: Option<&str>) -> (i64, String) {
    lab.vm.shell("mkdir -p /etc/bulkhead/policy.d");
    match rules {
        Some(rules) => lab.vm.shell(&format!("cat >{DROP_IN} <<'END'\nversion = 1\n{rules}END")),
        None => lab.vm.shell(&format!("rm {DROP_IN}")),
    };
    lab.vm.try_shell("systemctl reload bulkhead")
}

pub(crate) fn reloaded(lab: &mut Lab) {
    if lab.vm.runs_oracle() {
        return println!("left out: qemu-ga has no policy");
    }
    let exec = json!({ "path": "/bin/true" });
    lab.call("guest-exec", exec.clone());
    let deny = "[[command]]\nnames = [\"guest-exec\"]\nmode = \"deny\"\nreason = \"check\"\n";
    assert_eq!(reload(lab, Some(deny)).0, 0);
    let refused = lab.client.call("guest-exec", exec.clone());
    assert_eq!(refused.desc(), "Command guest-exec has been disabled: the command is not allowed");

    let (status, _) = reload(lab, Some("[[comand]]\n"));
    assert_ne!(status, 0, "a file with a mistake is not taken over");
    assert_eq!(lab.client.call("guest-exec", exec.clone()).class(), "CommandNotFound", "the old policy stays in force");
    assert!(lab.line("journalctl -b -u bulkhead -o cat | tail -n 20").contains("unknown key 'comand'"));

    assert_eq!(reload(lab, None).0, 0);
    lab.call("guest-exec", exec);
}

/// A user of the VM makes links and names for what the client may not read.
pub(crate) fn files(lab: &mut Lab) {
    if lab.vm.runs_oracle() {
        return println!("left out: qemu-ga has no policy");
    }
    let forbid = "[[forbid]]\ncapability = \"files\"\ntrees = [\"/etc\", \"/home/alice\"]\nreason = \"check\"\n";
    assert_eq!(reload(lab, Some(forbid)).0, 0);
    lab.vm.shell(
        "mkdir -m 777 /tmp/check && echo open >/tmp/check/file && setpriv --reuid=bob --clear-groups ln -s /etc/shadow \
         /tmp/check/link && ln /etc/shadow /tmp/check/name || ln -s /etc/shadow /tmp/check/name",
    );
    for path in ["/etc/shadow", "/tmp/check/link", "/tmp/check/name", "/tmp/../etc/shadow", "/proc/1/root/etc/shadow"] {
        let refused = lab.client.call("guest-file-open", json!({ "path": path }));
        assert!(refused.desc().contains("failed to open file"), "{path}: {}", refused.text);
    }
    let handle = lab.call("guest-file-open", json!({ "path": "/tmp/check/file" }));
    let read = lab.call("guest-file-read", json!({ "handle": handle }));
    assert_eq!(text(&read["buf-b64"]), base64(b"open\n"));
    lab.call("guest-file-close", json!({ "handle": handle }));
    lab.vm.shell("rm -r /tmp/check");
    assert_eq!(reload(lab, None).0, 0);
}

/// What journald and the file have of a command, and that nobody has changed the file.
pub(crate) fn audited(lab: &mut Lab) {
    if lab.vm.runs_oracle() {
        return println!("left out: qemu-ga has no policy");
    }
    lab.call("guest-ping", json!({}));
    let fields = lab.json("journalctl --sync; journalctl -b -n 1 -o json BULKHEAD_COMMAND=guest-ping");
    assert_eq!(text(&fields["SYSLOG_IDENTIFIER"]), "bulkhead-agent");
    assert_eq!(text(&fields["BULKHEAD_DECISION"]), "allow");
    let file = "/var/log/bulkhead-audit.jsonl";
    assert_eq!(lab.line(&format!("grep -c '\"command\":\"guest-ping\"' {file} | sed 's/^[1-9].*/some/'")), "some");
    assert_eq!(lab.vm.try_shell(&format!("bulkhead audit verify {file}")).0, 0);
    let edited = format!("sed '3s/allow/deny/' {file} >/tmp/edited && bulkhead audit verify /tmp/edited");
    assert_eq!(lab.vm.try_shell(&edited).0, 1, "an edited line is found");
}
