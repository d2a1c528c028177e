//! Programs that the agent starts, seen from outside the agent.

use bulkhead_e2e::{Lab, base64};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Starts a program and waits until it has ended.
fn run(lab: &mut Lab, arguments: Value) -> Value {
    let pid = lab.call("guest-exec", arguments)["pid"].clone();
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let status = lab.call("guest-exec-status", json!({ "pid": pid }));
        if status["exited"] == true {
            return status;
        }
        assert!(Instant::now() < end, "it does not end: {status}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn exec(lab: &mut Lab) {
    // What it is: root, in the root folder's namespaces, as the backdoor is.
    for question in ["id", "readlink /proc/self/ns/mnt", "readlink /proc/self/ns/net"] {
        let status = run(lab, json!({ "path": "sh", "arg": ["-c", question], "capture-output": true }));
        assert_eq!(status["exitcode"], 0, "{status}");
        assert_eq!(status["out-data"], base64(lab.vm.shell(question).as_bytes()), "{question}");
        assert_eq!(status.get("err-data"), None, "{status}");
    }

    // What it does is done.
    let script = "cat > /run/made; printenv WORD >> /run/made; echo oops >&2; exit 3";
    let arguments = json!({ "path": "/bin/sh", "arg": ["-c", script], "env": ["WORD=given"],
        "input-data": base64(b"from outside\n"), "capture-output": true });
    let status = run(lab, arguments);
    assert_eq!(status, json!({ "exited": true, "exitcode": 3, "err-data": base64(b"oops\n"), "err-truncated": false }));
    assert_eq!(lab.vm.shell("cat /run/made; rm /run/made"), "from outside\ngiven\n");
}

pub(crate) fn ends(lab: &mut Lab) {
    // More than a pipe holds, and all of it.
    let arguments = json!({ "path": "seq", "arg": ["100000"], "capture-output": true });
    let status = run(lab, arguments);
    assert_eq!(status["out-data"], base64(lab.vm.shell("seq 100000").as_bytes()));

    // Killed by somebody else.
    let pid = lab.call("guest-exec", json!({ "path": "sleep", "arg": ["1000"] }))["pid"].clone();
    assert_eq!(lab.call("guest-exec-status", json!({ "pid": pid })), json!({ "exited": false }));
    assert_eq!(lab.line(&format!("tr '\\0' ' ' < /proc/{pid}/cmdline")), "sleep 1000");
    lab.vm.shell(&format!("kill -9 {pid}"));
    lab.vm.until(&format!("! kill -0 {pid} 2>/dev/null || grep -q 'State:.Z' /proc/{pid}/status"));
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let status = lab.call("guest-exec-status", json!({ "pid": pid }));
        if status["exited"] == true {
            assert_eq!(status, json!({ "exited": true, "signal": 9 }));
            break;
        }
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(lab.vm.try_shell(&format!("kill -0 {pid}")).0, 1, "nothing is left of it");
    let gone = lab.client.call("guest-exec-status", json!({ "pid": pid }));
    assert_eq!(gone.class(), "GenericError", "{}", gone.text);
}
