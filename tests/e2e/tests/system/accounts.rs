//! Passwords that really open the door, and keys where sshd looks for them.

use bulkhead_e2e::{Lab, base64, list, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(crate) const SSH: &[&str] =
    &["guest-ssh-get-authorized-keys", "guest-ssh-add-authorized-keys", "guest-ssh-remove-authorized-keys"];

/// Whether Bob becomes Alice with this password: PAM decides, as at any login.
fn opens(lab: &mut Lab, password: &str) -> bool {
    let command = format!("echo '{password}' | setpriv --reuid=bob --regid=bob --clear-groups su alice -c 'id -un'");
    let (status, output) = lab.vm.try_shell(&command);
    assert_eq!(status == 0, output.ends_with("alice\n"), "{output}");
    status == 0
}

pub(crate) fn password(lab: &mut Lab) {
    let set = |lab: &mut Lab, password: &str, crypted: bool| {
        let arguments = json!({ "username": "alice", "password": base64(password.as_bytes()), "crypted": crypted });
        lab.call("guest-set-user-password", arguments);
    };
    assert!(!opens(lab, "open sesame"));
    set(lab, "open sesame", false);
    assert!(opens(lab, "open sesame"));
    assert!(!opens(lab, "open"), "the whole password counts");

    // Already hashed, by perl's crypt(3).
    let hash = lab.line("perl -e 'print crypt(\"another one\", \"\\$6\\$salt\\$\")'");
    set(lab, &hash, true);
    assert!(opens(lab, "another one"));
    assert!(!opens(lab, "open sesame"));
    assert_eq!(lab.line("getent shadow alice | cut -d : -f 2"), hash);

    let arguments = json!({ "username": "nobody-here", "password": base64(b"x"), "crypted": false });
    let refused = lab.client.call("guest-set-user-password", arguments);
    assert!(refused.desc().starts_with("child process has failed to set user password"), "{}", refused.text);
}

pub(crate) fn ssh_keys(lab: &mut Lab) {
    const FIRST: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEaX5dW0n0aRfrfHn0bXGHhzPT5m3FcQk3y6fX0e8tQp first";
    const SECOND: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB2mPpXHd8vW0mQ9Yk1l2cUe5x4uJvN7rT6sZq3oLwKa second";
    let file = "/home/alice/.ssh/authorized_keys";
    assert_eq!(lab.vm.try_shell("ls -d /home/alice/.ssh").0, 2, "there is nothing yet");

    lab.call(SSH[1], json!({ "username": "alice", "keys": [FIRST, SECOND] }));
    assert_eq!(lab.vm.shell(&format!("grep . {file}")), format!("{FIRST}\n{SECOND}\n"));
    // sshd reads it only if nobody else can write it.
    assert_eq!(lab.line(&format!("stat -c '%U:%G %a' {file} /home/alice/.ssh")), "alice:alice 600\nalice:alice 700");

    let keys = lab.call(SSH[0], json!({ "username": "alice" }))["keys"].clone();
    let keys: BTreeSet<&str> = list(&keys).iter().map(text).collect();
    assert_eq!(keys, [FIRST, SECOND].into());

    // Twice the same, and a line that somebody else has written.
    lab.vm.shell(&format!("printf '\\n# note\\n' >> {file}"));
    lab.call(SSH[1], json!({ "username": "alice", "keys": [FIRST] }));
    assert_eq!(lab.vm.shell(&format!("grep . {file}")), format!("{FIRST}\n{SECOND}\n# note\n"));
    lab.call(SSH[2], json!({ "username": "alice", "keys": [FIRST] }));
    assert_eq!(lab.vm.shell(&format!("grep . {file}")), format!("{SECOND}\n# note\n"));
    lab.call(SSH[1], json!({ "username": "alice", "keys": [FIRST], "reset": true }));
    assert_eq!(lab.vm.shell(&format!("grep . {file}")), format!("{FIRST}\n"));

    let refused = lab.client.call(SSH[0], json!({ "username": "nobody-here" }));
    assert_eq!(refused.class(), "GenericError");
    lab.vm.shell("rm -r /home/alice/.ssh");
    assert_eq!(lab.client.call(SSH[0], json!({ "username": "alice" })).value.get("return"), None::<&Value>);
}
